"""`make demo`: the story of the masks, played over HTTP against a running `make run`.

李菊 needs masks to go back to work, 陈彩明 sees it and leaves five at the community office, 李菊 fetches them. 陈彩明 has
earned points by it, answers the mask quiz, redeems two masks and collects them at the desk; 陈建君's are delivered.
Then 陈建君 guards the gate (`story_gate.py`). Each step is printed, and each WeChat message as it looks on the phone.
"""

from __future__ import annotations

import argparse
import sys

import urllib3
from botocore.exceptions import BotoCoreError
from rich.console import Console

from local import district, story_gate
from local.phone import Phone
from local.stack import ROOT, Stack
from local.telling import StoryBroken, Teller
from local.wechat.control import StandIn

MASKS = {
    "what": "goods",
    "title": "急需口罩",
    "text": "明天要回厂上班，家里没有口罩了，急需五只。",
    "quantity": 5,
    "unit": "只",
    "urgency": "urgent",
    "drop_point": "office",
}
_CAMPAIGN = "/products/masks-for-points/redemptions"


class Story:
    """李菊's masks, from a neighbour and for points."""

    def __init__(self, api_url: str, wechat: StandIn, tell: Teller) -> None:
        self.tell = tell
        people = ("li-ju", "chen-caiming", "chen-jianjun", "desk-clerk", "grid-worker")
        self.li_ju, self.chen, self.jianjun, self.clerk, self.grid_worker = (
            Phone(api_url, wechat, person) for person in people
        )

    def play(self) -> None:
        self._masks_from_a_neighbour()
        self._masks_for_points()
        for phone in (self.li_ju, self.chen):
            inbox = self.tell.step(f"{self.tell.names[phone.person]}的消息盒子", phone.get("/inbox"))
            self.tell.say(*(f"· {notice['title']}　{notice['text']}" for notice in inbox["items"][:6]))

    def _masks_from_a_neighbour(self) -> None:
        li_ju, chen = self.li_ju, self.chen
        self.tell.step("李菊、陈彩明打开小程序登录", li_ju.log_in(), chen.log_in())
        li_ju.allow_messages("ask_for_help")
        asked = self.tell.step("李菊发求助：急需口罩 5 只；微信检查过文字", li_ju.post("/help-requests", MASKS))
        request = f"/help-requests/{asked['id']}"

        nearby = self.tell.step("陈彩明看本社区的求助", chen.get(f"/help-requests?area={district.COMMUNITY}"))
        self.tell.say(
            *(
                f"· {line['title']}　还差 {line['quantity'] - line['offered']} {line['unit']}"
                for line in nearby["items"]
            )
        )
        chen.allow_messages("offer_help")
        offered = self.tell.step(
            "陈彩明认领 5 只：“我家有，放到居委会，您自己来拿。”",
            chen.post(f"{request}/offers", {"quantity": 5, "message": "我家有，放到居委会，您自己来拿。"}),
        )
        self.tell.phone_shows("li-ju", "有人帮忙")

        offer = f"{request}/offers/{offered['id']}"
        self.tell.step("李菊留言", li_ju.post(f"{offer}/messages", {"text": "太感谢了！我下班就去拿。"}))
        li_ju.allow_messages("ask_for_help")
        chen.allow_messages("offer_help")
        self.tell.step("陈彩明把口罩放到社区居委会", chen.post(f"{offer}/drop-off"))
        self.tell.phone_shows("li-ju", "已送达")
        seen = self.tell.step("李菊打开求助，看到取件码", li_ju.get(request))
        self.tell.say(f"取件码 {seen['offers'][0]['code']}（只有李菊看得到）")

        self.tell.step("李菊取到口罩", li_ju.post(f"{offer}/collect"))
        self.tell.phone_shows("chen-caiming", "已领取")
        self.tell.step("李菊感谢：“谢谢你，帮了大忙！”", li_ju.post(f"{offer}/thanks", {"text": "谢谢你，帮了大忙！"}))
        self.tell.step("李菊确认收到，求助完成", li_ju.post(f"{request}/confirm"))
        mine = self.tell.step("陈彩明看积分：帮助邻居得了分", chen.get("/me/points"))
        self.tell.say(f"现有积分 {mine['balance']} 分")

    def _masks_for_points(self) -> None:
        """Played again, points, cap and attempts are used up at some time: the story then shows what is said."""
        chen, jianjun = self.chen, self.jianjun
        self.tell.step(
            "陈建君、兑换点工作人员、网格员登录", jianjun.log_in(), self.clerk.log_in(), self.grid_worker.log_in()
        )
        goods = self.tell.step("陈彩明看积分商城", chen.get(f"/products?area={district.COMMUNITY}"))
        stock = {"plenty": "充足", "few": "不多了", "none": "已兑完"}
        for each in goods["items"]:
            way = "兑换活动，先答题" if each["campaign"] else "随时兑换"
            self.tell.say(f"· {each['name']}　{each['price']} 分　{stock[each['stock']]}（{way}）")
        self._pass_the_quiz(chen)
        wish = {"quantity": 2, "price": district.MASK_PRICE}
        desk = {"desk": f"{district.COMMUNITY}-office"}
        chen.allow_messages("redeem")
        reserved = self.tell.attempt("陈彩明用积分兑换 2 只口罩，到居委会领", chen.post(_CAMPAIGN, wish | desk))
        if reserved:
            code = {"code": reserved["code"]}
            self.tell.say(f"兑换码 {reserved['code']}")
            shown = self.tell.step("兑换点工作人员扫码核对", self.clerk.post("/desk/look-up", code))
            self.tell.say(f"要交付：{shown['name']} {shown['quantity']} {shown['unit']}")
            self.tell.step("交给陈彩明", self.clerk.post("/desk/collect", code))
            self.tell.phone_shows("chen-caiming", "已领走")
        self._pass_the_quiz(jianjun)
        jianjun.allow_messages("redeem")
        reserved = self.tell.attempt(
            "陈建君兑换 2 只口罩，请网格员送上门", jianjun.post(_CAMPAIGN, wish | {"deliver": True})
        )
        if reserved:
            waiting = self.tell.step("网格员看送货单", self.grid_worker.get(f"/deliveries?area={district.GRID}"))
            self.tell.say(*(f"· {each['nickname']}　{each['name']} {each['quantity']}" for each in waiting["items"]))
            door = f"/deliveries/{reserved['id']}/with-code"
            self.tell.step("网格员送到，核对兑换码", self.grid_worker.post(door, {"code": reserved["code"]}))
            self.tell.phone_shows("chen-jianjun", "已送到")
        month = chen.get("/me/points").json["month"]
        lines = self.tell.step("陈彩明看积分明细", chen.get(f"/me/points/statement?month={month}"))["items"]
        self.tell.say(*(f"· {line['reason']}　{line['change']:+d}　余额 {line['balance']}" for line in lines))

    def _pass_the_quiz(self, phone: Phone) -> None:
        name, quiz = self.tell.names[phone.person], "/quizzes/masks"
        if phone.get(quiz).json["passed"]:
            self.tell.say(f"{name}已经通过口罩答题")
            return
        attempt = self.tell.step(f"{name}答题：口罩和卫生小知识", phone.post(f"{quiz}/attempts"))
        handed = phone.post(f"{quiz}/attempts/{attempt['id']}/submit", district.who_knows_answers(attempt))
        result = self.tell.step(f"{name}交卷", handed)["result"]
        self.tell.say(f"答对 {result['score']} 题，得 {result['points']} 分，可以参加口罩兑换")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--port", type=int, default=8092)
    parser.add_argument("--aws-port", type=int, default=4566)
    parser.add_argument("--wechat-port", type=int, default=8091)
    asked = parser.parse_args()
    console = Console(highlight=False)
    api_url, wechat = f"http://127.0.0.1:{asked.port}/api", StandIn(f"http://127.0.0.1:{asked.wechat_port}")
    try:
        tell = Teller(wechat, console)
        Story(api_url, wechat, tell).play()
        stack = Stack(ROOT / ".local" / "run", port=asked.aws_port)
        story_gate.GateStory(api_url, wechat, tell, stack).play()
    except StoryBroken as broken:
        console.print(str(broken), markup=False, style="red")
        return 1
    except (urllib3.exceptions.HTTPError, BotoCoreError):
        console.print(
            "没有找到正在运行的服务，请先在另一个窗口运行 make run。 Start `make run` in another window first."
        )
        return 1
    console.print("\n[bold green]故事讲完了。[/]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
