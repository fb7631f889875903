"""Every message anybody can get, as data: to whom, in which words, through which WeChat template.

A text names its facts in braces; `service.tell` wants those at least. `matters` puts a message that did not
reach the phone on the staff's call sheet; `urgent` ones are pushed in quiet hours too, as are others that would come
too late after them (`service.tell_in_time`). A kind without a template stays in the inbox: it answers what the person
did a moment ago, or nothing depends on it.

What people tell each other (pick-up codes above all) stands in the app only: a push is read on locked screens. And it
stands where it was written, not in a copy that the other one keeps: of residents a message quotes no more than a nickname,
the title of a request and the name of a team (docs/decisions/0023).
"""

from __future__ import annotations

from string import Formatter
from typing import Literal

import msgspec

# WeChat templates as we need them: each value's name and the field in which the template usually has it.
# What an account's own template calls the fields is a setting (settings.Channel.fields).
FORMS: dict[str, dict[str, str]] = {
    "help_progress": {"subject": "thing1", "state": "phrase2", "hint": "thing3", "time": "time4"},  # 求助进展提醒
    "community": {"subject": "thing1", "hint": "thing2", "time": "time3"},  # 社区通知
    "review_result": {"subject": "thing1", "state": "phrase2", "hint": "thing3"},  # 审核结果通知
    "to_do": {"subject": "thing1", "hint": "thing2", "time": "time3"},  # 待办提醒
}

# The taps after which the mini-program asks for messages, and the templates of what may follow.
Moment = Literal[
    "ask_for_help",
    "offer_help",
    "volunteer",
    "redeem",
    "register",
    "work",
    "follow_posts",
]
MOMENTS: dict[Moment, tuple[str, ...]] = {
    "ask_for_help": ("help_progress", "review_result"),
    "offer_help": ("help_progress",),
    "volunteer": ("review_result", "community"),
    "redeem": ("community",),
    "register": ("review_result", "community"),
    "work": ("to_do",),
    # A tap of its own in the list of posts, never the one that earns points: WeChat forbids rewarding an accept.
    "follow_posts": ("community",),
}

HELP = "pages/help/detail?id={about}"
POST = "pages/post/detail?id={about}"
SHIFT = "pages/shift/detail?id={about}"
ACTIVITY = "pages/shift/activity?id={about}"
APPLICATIONS = "pages/staff/volunteers"
RUN_SHIFT = "pages/staff/shift?id={about}"
HOURS_CORRECTIONS = "pages/staff/hours-corrections"
VOLUNTEER = "pages/volunteer/index"
TEAM = "pages/volunteer/team?id={about}"
INBOX = "pages/inbox/index"
REDEMPTION = "pages/mall/redemption?id={about}"
DELIVERIES = "pages/staff/deliveries"
REVIEWS = "pages/staff/reviews"
HOMES = "pages/staff/homes"
ME = "pages/me/index"
POINTS = "pages/me/points"


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of message. `to` is for the reader of this file; the act that tells decides."""

    to: str
    title: str
    text: str
    page: str = INBOX
    template: str | None = None
    subject: str = ""
    state: str = ""
    hint: str = ""
    urgent: bool = False
    matters: bool = False

    @property
    def values(self) -> dict[str, str]:
        """What stands in the template beside the time."""
        form = FORMS[self.template] if self.template else {}
        return {name: getattr(self, name) for name in form if name != "time"}

    @property
    def facts(self) -> frozenset[str]:
        texts = (self.title, self.text, self.subject, self.state, self.hint)
        return frozenset(name for text in texts for _, name, _, _ in Formatter().parse(text) if name)


KINDS: dict[str, Kind] = {
    # ------------------------------------------------------------------------------------------------ help
    "help_offered": Kind(
        to="the requester",
        title="有邻居要帮您",
        text="{helper}愿意帮您：“{title}”。点开看看对方的留言。",
        page=HELP,
        template="help_progress",
        subject="{title}",
        state="有人帮忙",
        hint="{helper}愿意帮您",
    ),
    "help_dropped_off": Kind(
        to="the requester",
        title="东西已送到，请去领取",
        text="{helper}已把“{title}”要的东西放到{place}。请带上取件码去领，取件码在求助详情里。",
        page=HELP,
        template="help_progress",
        subject="{title}",
        state="已送达",
        hint="请领取：{place}",
        matters=True,
    ),
    "help_done": Kind(
        to="the requester of an errand, a skill or company",
        title="邻居说已经办好",
        text="{helper}说“{title}”已经办好，请您看看是否满意，并在求助详情里确认。",
        page=HELP,
        template="help_progress",
        subject="{title}",
        state="已办好",
        hint="请确认{helper}的帮助",
    ),
    "help_not_fetched": Kind(
        to="the requester",
        title="东西还在等您领取",
        text="“{title}”要的东西还在{place}，请尽快带上取件码去领。取件码在求助详情里。",
        page=HELP,
        template="help_progress",
        subject="{title}",
        state="等您领取",
        hint="请领取：{place}",
        matters=True,
    ),
    "help_never_fetched": Kind(
        to="the grid worker of the request's area",
        title="有东西一直没人领取",
        text="“{title}”要的东西一直放在{place}没人领，请联系求助人。",
        page=HELP,
        template="to_do",
        subject="{title}",
        hint="没人领取：{place}",
        matters=True,
    ),
    "help_not_confirmed": Kind(
        to="the requester of an errand, a skill or company, two days after the helper said it is done",
        title="邻居的帮助还等您确认",
        text="{helper}说“{title}”已经办好，您还没有确认。办好了请在求助详情里确认，没办好请说明问题。",
        page=HELP,
        template="help_progress",
        subject="{title}",
        state="等您确认",
        hint="请确认{helper}的帮助",
        matters=True,
    ),
    "help_never_confirmed": Kind(
        to="the grid worker of the request's area, a week after the helper said it is done",
        title="有帮助一直没人确认",
        text="{helper}一周前说“{title}”已经办好，求助人一直没有确认，请联系求助人。",
        page=HELP,
        template="to_do",
        subject="{title}",
        hint="求助人一直没有确认",
        matters=True,
    ),
    "help_take_back": Kind(
        to="the helper whose goods nobody will fetch",
        title="请把东西取回",
        text="“{title}”的这次帮忙已取消：{why}。请到{place}取回您送的东西，谢谢您的好意！",
        page=HELP,
        template="help_progress",
        subject="{title}",
        state="请取回",
        hint="请取回：{place}",
        matters=True,
    ),
    "help_not_needed": Kind(
        to="the helper, when the other side called off what was promised, or done but not confirmed",
        title="这次帮忙不用了",
        text="“{title}”的这次帮忙已取消：{why}。不用再准备了，谢谢您的好意！",
        page=HELP,
        template="help_progress",
        subject="{title}",
        state="认领取消",
        hint="不用再准备了，谢谢您",
        matters=True,
    ),
    "help_collected": Kind(
        to="the helper who brought goods",
        title="东西已被领走",
        text="您为“{title}”送的东西已经领走了，谢谢您！",
        page=HELP,
        template="help_progress",
        subject="{title}",
        state="已领取",
        hint="谢谢您帮了邻居",
    ),
    "help_confirmed": Kind(
        to="the helper with an errand, a skill or company",
        title="帮忙已得到确认",
        text="求助人确认“{title}”已经办好，谢谢您！",
        page=HELP,
        template="help_progress",
        subject="{title}",
        state="已确认",
        hint="谢谢您帮了邻居",
    ),
    "help_offer_cancelled": Kind(
        to="the requester",
        title="一次帮忙已取消",
        text="{who}不能帮“{title}”的忙了，这次认领已取消。别的邻居可以接着帮您。",
        page=HELP,
        template="help_progress",
        subject="{title}",
        state="认领取消",
        hint="{who}取消了这次帮忙",
    ),
    "help_offer_lapsed": Kind(
        to="the requester",
        title="一份认领已失效",
        text="{helper}没有按时把“{title}”送到或办好，这次认领已失效。别的邻居可以接着帮您。",
        page=HELP,
        template="help_progress",
        subject="{title}",
        state="认领失效",
        hint="别的邻居可以接着帮您",
    ),
    "help_your_offer_lapsed": Kind(
        to="the helper",
        title="您的认领已失效",
        text="“{title}”没有按时送到或办好，您的认领已失效。还想帮忙的话，可以重新认领。",
        page=HELP,
        template="help_progress",
        subject="{title}",
        state="认领失效",
        hint="还想帮忙可重新认领",
    ),
    "help_message": Kind(
        to="the other one of requester and helper",
        title="{sender}给您留言",
        text="{sender}就“{title}”给您留言，请点开看。",
        page=HELP,
        template="help_progress",
        subject="{title}",
        state="新留言",
        hint="{sender}给您留言了",
    ),
    "help_thanked": Kind(
        to="the helper",
        title="邻居感谢您",
        text="{requester}为“{title}”写了感谢的话，请点开看。",
        page=HELP,
        template="help_progress",
        subject="{title}",
        state="收到感谢",
        hint="{requester}感谢您的帮助",
    ),
    "help_fulfilled": Kind(
        to="the helper",
        title="求助已完成",
        text="“{title}”已经圆满完成，谢谢您的帮助。",
        page=HELP,
        template="help_progress",
        subject="{title}",
        state="已完成",
        hint="谢谢您帮了邻居",
    ),
    "help_request_withdrawn": Kind(
        to="helpers whose offer was still open",
        title="求助已撤回",
        text="“{title}”已被撤回，不用再准备了。谢谢您！",
        page=HELP,
        template="help_progress",
        subject="{title}",
        state="已撤回",
        hint="不用再准备了，谢谢您",
        matters=True,
    ),
    "help_request_expired": Kind(
        to="the requester",
        title="求助已过期",
        text="“{title}”已过期。还需要的话，请重新发布，或联系网格员。",
        page=HELP,
        template="help_progress",
        subject="{title}",
        state="已过期",
        hint="还需要的话请重新发布",
    ),
    "help_objected": Kind(
        to="the grid worker of the request's area",
        title="有居民对帮忙结果有异议",
        text="求助人说“{title}”没有办成，原因写在求助详情里。请联系双方了解情况。",
        page=HELP,
        template="to_do",
        subject="{title}",
        hint="求助人说没有办成",
        matters=True,
    ),
    "help_unanswered": Kind(
        to="the grid worker of the request's area",
        title="有求助还没人回应",
        text="{place}的“{title}”还没有人回应，请看看能帮上什么。",
        page=HELP,
        template="to_do",
        subject="{title}",
        hint="没人回应：{place}",
        matters=True,
    ),
    "help_unanswered_urgent": Kind(
        to="the grid worker of the request's area",
        title="有紧急求助还没人回应",
        text="{place}的紧急求助“{title}”还没有人回应，请尽快联系求助人。",
        page=HELP,
        template="to_do",
        subject="{title}",
        hint="紧急，没人回应：{place}",
        urgent=True,
        matters=True,
    ),
    "help_near_you": Kind(
        to="volunteers who asked for it",
        title="附近有邻居求助",
        text="{place}有邻居求助：“{title}”。方便的话，请点开看看。",
        page=HELP,
        template="community",
        subject="{title}",
        hint="邻居求助：{place}",
    ),
    # ------------------------------------------------------------------------------------------------ mall
    "redemption_waiting": Kind(
        to="the resident, some days before the last",
        title="您兑换的东西还没有领",
        text="您兑换的{name} {quantity}还在{place}，请在{until}前（含当天）带兑换码去领，过期积分会退回。",
        page=REDEMPTION,
        template="community",
        subject="{name}等您领取",
        hint="{until}前到{place}",
        matters=True,
    ),
    "redemption_collected": Kind(
        to="the resident",
        title="兑换的东西已领走",
        text="您兑换的{name} {quantity}已经凭兑换码领走。如果不是您领的，请马上联系社区。",
        page=REDEMPTION,
        template="community",
        subject="{name}已领走",
        hint="不是您领的请联系社区",
    ),
    "redemption_delivered": Kind(
        to="the resident",
        title="兑换的东西已送到",
        text="您兑换的{name} {quantity}已经送到。如果没有收到，请马上联系社区。",
        page=REDEMPTION,
        template="community",
        subject="{name}已送到",
        hint="没有收到请联系社区",
    ),
    "redemption_left": Kind(
        to="the resident",
        title="兑换的东西已送到",
        text="您兑换的{name} {quantity}已经送到，{reason}。放在哪里，请点开看照片。没有收到，请马上联系社区。",
        page=REDEMPTION,
        template="community",
        subject="{name}已送到",
        hint="{reason}",
        matters=True,
    ),
    "redemption_expired": Kind(
        to="the resident",
        title="兑换已过期，积分退回",
        text="您兑换的{name}没有在期限内领取，{points} 分已经退回，需要的话可以重新兑换。",
        page=REDEMPTION,
        template="community",
        subject="{name}兑换已过期",
        hint="{points} 分已经退回",
    ),
    "redemption_not_delivered": Kind(
        to="the resident",
        title="没能送到，积分退回",
        text="很抱歉，您兑换的{name}没能在期限内送到，{points} 分已经退回。需要的话请联系社区。",
        page=REDEMPTION,
        template="community",
        subject="{name}没能送到",
        hint="{points} 分已经退回",
        matters=True,
    ),
    "delivery_waiting": Kind(
        to="the grid worker",
        title="有东西要送",
        text="请把{name} {quantity}送到{place}，{until}前（含当天）送到。",
        page=DELIVERIES,
        template="to_do",
        subject="送{name} {quantity}",
        hint="{place}",
    ),
    "delivery_late": Kind(
        to="the grid worker",
        title="还有东西没有送到",
        text="{place}的{name} {quantity}还没有送到，请在{until}前（含当天）送到，过期就退回积分了。",
        page=DELIVERIES,
        template="to_do",
        subject="还没送：{name} {quantity}",
        hint="{until}前：{place}",
    ),
    # ----------------------------------------------------------------------------------------------- posts
    "post_urgent": Kind(
        to="everybody who lives in the area of an urgent post and can be pushed to",
        title="紧急通知",
        text="{place}发布紧急通知：“{title}”。请点开看全文。",
        page=POST,
        template="community",
        subject="{title}",
        hint="紧急通知：{place}",
        urgent=True,
    ),
    "post_withdrawn": Kind(
        to="the author, when a colleague takes the post back",
        title="您发布的信息已撤回",
        text="{who}撤回了您发布的“{title}”，居民已经看不到。需要的话，可以修改后重新发布。",
        page=POST,
    ),
    # --------------------------------------------------------------------------------------------- content
    "content_in_review": Kind(
        to="the author",
        title="内容正在审核",
        text="您的{what}要先由审核员看过，通过后别人才能看到。一般当天有结果，会再通知您。",
    ),
    "content_approved": Kind(
        to="the author",
        title="审核已通过",
        text="您的{what}已通过审核，别人现在可以看到了。",
        template="review_result",
        subject="{what}",
        state="已通过",
        hint="别人现在可以看到了",
    ),
    "content_refused": Kind(
        to="the author",
        title="审核没有通过",
        text="您的{what}没有通过审核。原因：{reason}。修改后可以重新提交。",
        template="review_result",
        subject="{what}",
        state="未通过",
        hint="{reason}",
    ),
    "content_hidden_by_flags": Kind(
        to="the author",
        title="内容暂时隐藏",
        text="有几位居民对您的{what}提出了异议（{reason}），审核员看过之前暂时隐藏。结果会再通知您。",
        template="review_result",
        subject="{what}",
        state="暂时隐藏",
        hint="审核员会尽快查看",
    ),
    "review_waiting": Kind(
        to="the moderators of the area, when nobody has decided for two hours",
        title="有内容等您审核",
        text="{place}有内容等了两个小时还没有审核，请尽快查看。",
        page=REVIEWS,
        template="to_do",
        subject="有内容等您审核",
        hint="{place}",
    ),
    # ---------------------------------------------------------------------------------------------- people
    "residence_waiting": Kind(
        to="the grid worker of the area",
        title="有居民等您确认居住地",
        text="{nickname}登记住在{place}，请核实后确认。",
        page=HOMES,
        template="to_do",
        subject="确认居住地",
        hint="{place}",
    ),
    "residence_confirmed": Kind(
        to="the resident",
        title="居住地已确认",
        text="网格员已确认您住在{place}。",
        page=ME,
        template="review_result",
        subject="居住地登记",
        state="已确认",
        hint="{place}",
    ),
    "residence_declined": Kind(
        to="the resident",
        title="居住地没有确认",
        text="网格员没有确认您住在{place}。原因：{reason}。请核对后重新登记。",
        page=ME,
        template="review_result",
        subject="居住地登记",
        state="未确认",
        hint="{reason}",
    ),
    "delegate_accepted": Kind(
        to="the principal",
        title="代办人已接受",
        text="{delegate}接受了您的邀请，从现在起可以替您办事。您可以随时取消。",
        page=ME,
        template="community",
        subject="代办人已接受邀请",
        hint="{delegate}可以替您办事了",
    ),
    "delegate_revoked": Kind(
        to="the delegate",
        title="代办已取消",
        text="{principal}取消了您的代办，您不能再替对方办事。",
        page=ME,
        template="community",
        subject="代办已取消",
        hint="不能再替{principal}办事",
    ),
    "delegate_resigned": Kind(
        to="the principal",
        title="代办人已退出",
        text="{delegate}不再做您的代办人。",
        page=ME,
        template="community",
        subject="代办人已退出",
        hint="{delegate}不再替您办事",
    ),
    "account_closed": Kind(
        to="the delegates of somebody who closed their account",
        title="代办已结束",
        text="{principal}注销了账号，您的代办也就结束了。",
        page=ME,
    ),
    "looked_up": Kind(
        to="the resident whose identity was shown",
        title="有工作人员查看了您的信息",
        text="{staff}查看了您的{what}。理由：{reason}。您可以在“谁查看过我”里看到全部记录。",
        page=ME,
        template="community",
        subject="有人查看了您的信息",
        hint="{staff}",
    ),
    "copy_ready": Kind(
        to="the resident",
        title="您的资料已备好",
        text="您要的个人资料已经备好，请在一天之内下载，过期要重新申请。",
        page=ME,
        template="community",
        subject="您的个人资料已备好",
        hint="请在一天之内下载",
    ),
    "duty_given": Kind(
        to="the resident",
        title="您有了新的职务",
        text="从现在起，您在{place}担任{role}。",
        page=ME,
        template="community",
        subject="您有了新的职务",
        hint="{role}：{place}",
    ),
    "duty_ended": Kind(
        to="the resident",
        title="您的职务已结束",
        text="您在{place}担任的{role}已经结束，感谢您的付出。",
        page=ME,
        template="community",
        subject="您的职务已结束",
        hint="{role}：{place}",
    ),
    # ---------------------------------------------------------------------------------------------- points
    "points_corrected": Kind(
        to="the resident from whom an administrator took back what one transfer had given",
        title="一笔积分有更正",
        text="“{what}”的积分收回了 {points} 分。原因：{why}。有疑问请联系社区。",
        page=POINTS,
    ),
    # ------------------------------------------------------------------------------------------------ shifts
    "shift_place_free": Kind(
        to="the first who waited for a place on a shift",
        title="排到了，您可以参加",
        text="“{title}”有空位了，{when}，在{place}。已为您报上名；来不了的话，请早点取消。",
        page=SHIFT,
        template="community",
        subject="已为您报上名：{title}",
        hint="开始：{when}",
        matters=True,
    ),
    "shift_added": Kind(
        to="a volunteer whom the organiser has added by their number",
        title="组织者为您报了名",
        text="{who}把您加进了“{title}”，{when}，在{place}。没有这回事的话，请联系社区。",
        page=SHIFT,
        template="community",
        subject="为您报了名：{title}",
        hint="开始：{when}",
    ),
    "shift_changed": Kind(
        to="everybody who has signed up for a shift or waits for it, when it has another time or place",
        title="您的班次有变化",
        text="“{title}”有变化：{changes}。来不了的话，可以在“我的班次”里取消，不会记为临时取消。",
        page=SHIFT,
        template="community",
        subject="有变化：{title}",
        hint="开始：{when}",
        matters=True,
    ),
    "shift_terms_changed": Kind(
        to="the same, when only the number of people has changed",
        title="您的班次有变化",
        text="“{title}”（{when}）有变化：{changes}。时间和地点不变，您不用做什么。",
        page=SHIFT,
    ),
    "shift_changed_clash": Kind(
        to="who is taken off a shift, because its new time is that of another shift of theirs",
        title="班次改时间，已为您取消",
        text="“{title}”有变化：{changes}。新时间和您的另一个班次冲突，已为您取消这一个，不会记为临时取消。",
        page=SHIFT,
        template="community",
        subject="已为您取消：{title}",
        hint="新时间和您的另一班次冲突",
        matters=True,
    ),
    "shift_cancelled": Kind(
        to="everybody who has signed up for a shift or waits for it, when it is cancelled",
        title="班次取消了，不用来了",
        text="“{title}”（{when}，{place}）取消了。原因：{reason}。不影响您的记录，谢谢您！",
        page=SHIFT,
        template="community",
        subject="已取消：{title}",
        hint="原定 {when}",
        matters=True,
    ),
    "shift_cut_short": Kind(
        to="who is on a shift that is cancelled while it is under way",
        title="班次提前结束",
        text="“{title}”（{place}）提前结束了。原因：{reason}。已为您签退，到现在的时长照样计入，谢谢您！",
        page=SHIFT,
        template="community",
        subject="提前结束：{title}",
        hint="已为您签退，时长照计",
        matters=True,
    ),
    "shift_late_withdrawal": Kind(
        to="the organiser, when somebody withdraws within twelve hours of the start, once for each person",
        title="有人临时取消报名",
        text="{who}取消了“{title}”的报名，班次 {when} 开始。请看看还缺不缺人。",
        page=RUN_SHIFT,
        template="to_do",
        subject="{title}",
        hint="{who}临时取消报名",
    ),
    "activity_approved_late": Kind(
        to="the organiser, when a moderator lets an activity through after some of its shifts should have begun",
        title="有班次没来得及发布",
        text="“{title}”审核通过时，有 {missed} 个班次已过开始时间，没有发布。还需要的话，请另外安排时间。",
        page=ACTIVITY,
        template="to_do",
        subject="{title}",
        hint="{missed} 个班次没有发布",
    ),
    "shift_new": Kind(
        to="volunteers who asked to hear of new shifts",
        title="附近有新的志愿服务",
        text="“{title}”正在招募志愿者：{first} 开始，共 {shifts} 个班次，在{place}。有空的话，请点开报名。",
        page=ACTIVITY,
        template="community",
        subject="{title}",
        hint="招募志愿者：{place}",
    ),
    # ------------------------------------------------------------------------------------------ volunteers
    "volunteer_applied": Kind(
        to="those who decide on applications of the area",
        title="有人申请成为志愿者",
        text="{nickname}申请成为{place}的志愿者，请您审核。",
        page=APPLICATIONS,
        template="to_do",
        subject="志愿者申请",
        hint="{nickname}等您审核",
    ),
    "volunteer_approved": Kind(
        to="the applicant",
        title="您已成为志愿者",
        text="您的志愿者申请已通过，现在可以报名班次了。志愿者编号在“志愿服务”里，没带手机时可以报给组织者。",
        page=VOLUNTEER,
        template="review_result",
        subject="志愿者申请",
        state="已通过",
        hint="现在可以报名班次了",
        matters=True,
    ),
    "volunteer_declined": Kind(
        to="the applicant",
        title="志愿者申请没有通过",
        text="您的志愿者申请没有通过：{reason}。可以修改后再申请，有疑问请联系社区。所填资料保留 {days} 天，到期自动删除。",
        page=VOLUNTEER,
        template="review_result",
        subject="志愿者申请",
        state="未通过",
        hint="请点开看原因",
        matters=True,
    ),
    "volunteer_guardian_on_file": Kind(
        to="a volunteer under sixteen",
        title="监护人同意已登记",
        text="社区已登记您的监护人同意，未满 16 岁也可以报名班次了。如有出入，请联系社区。",
        page=VOLUNTEER,
    ),
    "volunteer_guardian_withdrawn": Kind(
        to="a volunteer under sixteen",
        title="监护人同意已撤销",
        text="您的监护人同意已撤销，未满 16 岁不能再报名班次，已报名的会为您取消。监护人到社区重新登记后，可以再报名。",
        page=VOLUNTEER,
        template="community",
        subject="监护人同意已撤销",
        hint="已报名的班次会取消",
        matters=True,
    ),
    # -------------------------------------------------------------------------------------------- volunteers
    "volunteer_entry_added": Kind(
        to="the volunteer, when staff have recorded a training, commendation or evaluation",
        title="志愿服务档案有新记录",
        text="{who}为您记录了一项{what}：“{title}”（{day}）。如果不对，请联系社区。",
        page=VOLUNTEER,
        template="community",
        subject="{title}",
        hint="志愿服务档案有新记录",
    ),
    "volunteer_entry_revoked": Kind(
        to="the volunteer, when staff have revoked such a record, and with it the statements that show it",
        title="志愿服务档案有记录撤销",
        text="{who}撤销了您的一项{what}：“{title}”（{day}）。原因：{reason}。{statements}有疑问请联系社区。",
        page=VOLUNTEER,
        template="community",
        subject="{title}",
        hint="这项记录已撤销",
        matters=True,
    ),
    "shift_hours_to_confirm": Kind(
        to="the organiser of a shift that has ended, or the grid workers where there is none",
        title="请确认服务时长",
        text="“{title}”（{when}）已经结束。请核对签到，一键确认大家的服务时长。",
        page=RUN_SHIFT,
        template="to_do",
        subject="{title}",
        hint="请确认服务时长",
    ),
    "shift_hours_unconfirmed": Kind(
        to="the organiser and the grid workers, three days later, once",
        title="服务时长还没有确认",
        text="“{title}”（{when}）的服务时长还没有确认，志愿者在等。请尽快核对确认。",
        page=RUN_SHIFT,
        template="to_do",
        subject="{title}",
        hint="服务时长还没有确认",
    ),
    "shift_hours_confirmed": Kind(
        to="the volunteer whose hours were confirmed",
        title="服务时长已确认",
        text="“{title}”的服务时长已确认：{hours}{points}。有出入的话，90 天内可以申请更正。",
        page=SHIFT,
        template="community",
        subject="{title}",
        hint="服务时长：{hours}",
    ),
    "shift_hours_added": Kind(
        to="the volunteer whose hours an organiser recorded afterwards",
        title="已为您补记服务时长",
        text="{who}为您补记了“{title}”的服务时长：{hours}{points}。有出入的话，90 天内可以申请更正。",
        page=SHIFT,
        template="community",
        subject="{title}",
        hint="补记时长：{hours}",
    ),
    "shift_hours_correction_asked": Kind(
        to="the grid workers, or who may in their place, when a volunteer asks for a correction that they may decide",
        title="有人申请更正服务时长",
        text="{who}申请更正“{title}”的服务时长。请核实后处理。",
        page=HOURS_CORRECTIONS,
        template="to_do",
        subject="{title}",
        hint="{who}申请更正时长",
    ),
    "shift_hours_corrected": Kind(
        to="the volunteer whose hours were corrected",
        title="服务时长已更正",
        text="“{title}”的服务时长已更正为 {hours}{points}。以前开的时长证明，时间段包含这一次的都已作废，需要的话请重新开。",
        page=SHIFT,
        template="community",
        subject="{title}",
        hint="更正为 {hours}",
    ),
    "shift_hours_not_corrected": Kind(
        to="the volunteer whose correction was declined",
        title="服务时长没有更正",
        text="“{title}”的服务时长没有更正：{reason}。有疑问请联系社区。",
        page=SHIFT,
        template="community",
        subject="{title}",
        hint="时长没有更正，请看原因",
    ),
    "shift_team_signed_up": Kind(
        to="the members of a team whom its leader has signed up for a shift",
        title="小队已为您报名",
        text="“{team}”全员报名了“{title}”，{when}，在{place}。来不了的话，请早点取消。",
        page=SHIFT,
        template="community",
        subject="小队报名：{title}",
        hint="开始：{when}",
        matters=True,
    ),
    "shift_team_withdrawn": Kind(
        to="the members of a team whom its leader has taken off a shift",
        title="小队取消了报名",
        text="“{team}”取消了“{title}”的报名，{when} 您不用来了。想自己参加的话，可以再报名。",
        page=SHIFT,
        template="community",
        subject="小队取消：{title}",
        hint="原定 {when}",
        matters=True,
    ),
    # ------------------------------------------------------------------------------------------------ teams
    "team_joined": Kind(
        to="the leader of a team",
        title="有人加入小队",
        text="{who}加入了“{team}”。",
        page=TEAM,
    ),
    "team_left": Kind(
        to="the leader of a team",
        title="有人退出小队",
        text="{who}退出了“{team}”。已经报名的班次仍由本人参加或取消。",
        page=TEAM,
    ),
    "team_removed": Kind(
        to="who was taken out of a team by its leader",
        title="您已不在小队里",
        text="队长把您移出了“{team}”。已经报名的班次不受影响，您可以照常参加，也可以自己取消。",
        page=VOLUNTEER,
        template="community",
        subject="您已不在小队里",
        hint="{team}",
    ),
    "team_yours": Kind(
        to="who leads a team from now on",
        title="您现在是队长",
        text="您现在是“{team}”的队长，可以邀请队员，也可以为全队报名。",
        page=TEAM,
        template="community",
        subject="您现在是队长",
        hint="{team}",
    ),
    "team_dissolved": Kind(
        to="the members of a team that its leader has dissolved",
        title="小队已解散",
        text="“{team}”已经解散。已经报名的班次不受影响，您可以照常参加，也可以自己取消。",
        page=VOLUNTEER,
        template="community",
        subject="小队已解散",
        hint="{team}",
    ),
}
