"""What may be shown, who decides about it, and until when asking WeChat again makes sense."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from chalicelib.kit.errors import Conflict, Forbidden, Invalid, Refused
from chalicelib.kit.flow import Flow
from chalicelib.people.rules import BothSides

# Nothing but `shown` is ever linked for anybody else than the author's moderator.
PHOTO = Flow(
    {
        "awaited": {"checking", "refused", "removed"},
        "checking": {"shown", "refused", "held", "removed"},
        "held": {"shown", "refused", "removed"},
        "shown": {"removed"},
        "refused": {"removed"},
    }
)
REVIEW = Flow(
    {
        "waiting": {"with_moderator", "approved", "refused", "moot"},
        "with_moderator": {"approved", "refused", "moot"},
    }
)

PHOTOS_AT_MOST = 9
UPLOADS_AN_HOUR = 60
LARGEST_UPLOAD = 5 * 1024 * 1024  # bytes, enforced by S3
FORM_LIFE = timedelta(minutes=5)
AWAITED_FOR = timedelta(days=1)
REMIND_AFTER = timedelta(hours=2)  # in which a moderator has decided, as a rule
ANSWER_WITHIN = timedelta(minutes=30)  # WeChat's own promise for pictures
ASKED_AT_MOST = 2

# WeChat checks under the author's openid, and only within two hours after the author last used the
# mini-program. The act itself was such a use, so from then the two hours run; a little less, for the way.
PRESENT_FOR = timedelta(hours=2) - timedelta(minutes=3)
_LONGEST_PAUSE = timedelta(minutes=30)

# Refusals of WeChat (wechat.errors.Meaning) after which asking the same again cannot help.
HOPELESS = frozenset({"user_away", "permanent"})

REASONS = (
    "含有广告推销",
    "含有辱骂或攻击他人的内容",
    "泄露了他人的隐私",
    "含有虚假信息",
    "含有低俗内容",
    "涉及违法内容",
    "与社区事务无关",
)
REASON_AT_MOST = 200
NOT_PROCESSED = "系统没能处理这张图片"


class ContentRefused(Refused):
    code = "content_refused"

    @classmethod
    def because(cls, reason: str) -> ContentRefused:
        return cls(
            detail=f"这段文字没有通过检查（{reason}），不能发布。请修改后再提交；觉得判断有误，可以到社区服务台反映。"
        )


class ContactInText(Refused):
    code, detail = "contact_in_text", "为了保护您，请不要写电话、微信号、QQ 号和邮箱，别人都会看到。"


class PrivateContactInText(ContactInText):
    """Of an office that speaks to everybody, the number of its desk may be read, and nobody's own."""

    detail = "请不要公开个人的手机号、微信号和 QQ 号，可以写办公电话。"


MoneyAsked = Refused.named("money_not_allowed", "这里只能互相帮忙和借用物品，不能求助钱款。有经济困难，请联系社区。")
AlreadyDecided = Conflict.named("already_decided", "这条内容已经有人处理过了，请刷新列表。")
NotYetForModerators = Conflict.named("still_being_checked", "微信还在检查这条内容，暂时不用人工处理。")
# What the review is about has been withdrawn or has changed: there is nothing left to decide.
SubjectGone = Conflict.named("subject_gone", "作者已经撤回或修改了这条内容，不用再处理。")
# A held picture is deleted after 90 days, see MediaBucket in resources.yaml.
PictureGone = Conflict.named("picture_gone", "这张图片存放太久，已经删除，不能再显示。请选择不通过，作者可以重新上传。")
OwnContent = Forbidden.named(
    "own_content", "这条内容和您本人有关（您写的、您举报的，或者写给您的），请由其他审核员处理。"
)


class TiedToAuthor(BothSides):
    detail = "您和这条内容的作者、举报人或者当事人之间有代办关系，请由其他审核员处理。"


ReasonNeeded = Invalid.named("reason_needed", "请写明不通过的理由，作者会看到。")
TooManyPhotos = Refused.named("too_many_photos", f"最多可以放 {PHOTOS_AT_MOST} 张照片。请先删掉一张，再添加。")


def next_check(tried: int, *, since: datetime, now: datetime) -> datetime | None:
    """When to ask WeChat again after `tried` vain tries: after 1, 2, 4 … minutes, at most 30.

    None once the author counts as away (`since` is when they were here): then it is a moderator's turn.
    """
    at = now + min(timedelta(minutes=2**tried), _LONGEST_PAUSE)
    return at if at < since + PRESENT_FOR else None


def decision_reason(*, approve: bool, reason: str | None) -> str:
    """The reason as it is told to the author. A refusal needs one."""
    text = " ".join((reason or "").split())
    if not approve and not text:
        raise ReasonNeeded(fields={"reason": "必须填写"})
    return text


def shown_flags(reasons: Sequence[str], words: Sequence[str]) -> list[str]:
    """What each neighbour said, for the moderator: the reason, and their own words if there are any."""
    said = zip(reasons, (" ".join(text.split()) for text in words), strict=True)
    return [f"{reason}：{text}" if text else reason for reason, text in said]


def told_flags(reasons: Sequence[str]) -> str:
    """The reasons of several flags in one sentence, each once, the most frequent first."""
    return "、".join(sorted(dict.fromkeys(reasons), key=lambda reason: -reasons.count(reason)))


_UNSEEN = frozenset({"Cf", "Mn", "Me"})  # zero-width characters, and what makes 1 a keycap
_BLANK = _UNSEEN | {"Cc", "Zs", "Zl", "Zp"}


def plain(text: str) -> str:
    """Full-width and look-alike characters as the plain ones they stand for, without invisible ones."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(character for character in folded if unicodedata.category(character) not in _UNSEEN)


def refuse_unfit(texts: Iterable[str], *, official: bool) -> None:
    """What no text may hold that others read: a way to reach somebody (a number once written cannot be taken back), or
    asking for money, which WeChat reserves to registered charities (公益 > 个人求助网络服务平台).

    `texts` are those of one act, in the order in which they are read. `official`: staff say it in the community's name,
    and may name their office's telephone and collect for a charity.
    """
    from chalicelib.content import contact_details, money  # a cold start that shows a list needs none of it

    written = [text for text in texts if text]
    kinds = contact_details.found(written)
    if official and kinds - contact_details.OF_AN_OFFICE:
        raise PrivateContactInText()
    if kinds and not official:
        raise ContactInText()
    if not official and money.asked_for(written):
        raise MoneyAsked()


def refuse_blank(**texts: str) -> None:
    """Characters that a person does not see (spaces, U+200B and the like) make no title and no name."""
    blank = {
        name: "不能为空"
        for name, text in texts.items()
        if all(unicodedata.category(character) in _BLANK for character in unicodedata.normalize("NFKC", text))
    }
    if blank:
        raise Invalid(fields=blank)
