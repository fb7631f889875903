"""The second chapter of `make demo`: 陈建君 guards the gate, and a team's shift is rained out.

He applies, is approved, signs up for tonight's gate, checks in and out, and sees hours, points and a statement. 工人护企队
signs up as a team for one of the next weeks' shifts; it is cancelled, and everybody is told. The hours at the gate pass in a moment
(`turned_clock.py`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from local import district, turned_clock
from local.phone import Phone
from local.stack import Stack
from local.telling import Teller
from local.wechat.control import StandIn

TEAM = "工人护企队"
_TONIGHT = timedelta(minutes=20)  # from now on: check-in is open
_HOURS = timedelta(hours=4)


class GateStory:
    def __init__(self, api_url: str, wechat: StandIn, tell: Teller, stack: Stack) -> None:
        self.tell, self._stack = tell, stack
        people = ("chen-jianjun", "grid-worker", "worker-wu", "worker-shen", "worker-lu")
        self.jianjun, self.organiser, *self.team = (Phone(api_url, wechat, person) for person in people)

    def play(self) -> None:
        self.tell.chapter("守小门")
        logged_in = [phone.log_in() for phone in (self.jianjun, self.organiser, *self.team)]
        self.tell.step("陈建君、网格员和三位师傅打开小程序登录", *logged_in)
        for phone in (self.jianjun, *self.team):
            self._becomes_a_volunteer(phone)
        tonight = self._plans_tonight()
        self._guards(tonight)
        self._sees_hours(tonight)
        self._rained_out(self._plans_two_weeks())

    def _becomes_a_volunteer(self, phone: Phone) -> None:
        name = self.tell.names[phone.person]
        phone.allow_messages("volunteer")
        if phone.get("/me/volunteer").json["state"] == "approved":
            self.tell.say(f"{name}已经是志愿者")
            return
        self.tell.step(f"{name}申请成为志愿者", phone.post("/me/volunteer", district.application(phone.person)))
        waiting = self.tell.step("网格员看申请", self.organiser.get(f"/volunteers/applications?area={district.GRID}"))
        self.tell.say(*(f"· {each['nickname']}　{each['place']}" for each in waiting["items"]))
        self.tell.step(f"网格员同意{name}", self.organiser.post(f"/volunteers/{phone.id}/approve"))
        self.tell.phone_shows(phone.person, "通过")
        phone.allow_messages("volunteer")

    def _plans_tonight(self) -> str:
        begins = datetime.now().astimezone().replace(second=0, microsecond=0) + _TONIGHT
        shift = {
            "start": begins.isoformat(),
            "end": (begins + _HOURS).isoformat(),
            "place": "示范一社区东门",
            "capacity": 3,
            "quorum": {"volunteer": 2, "grid_worker": 1},
        }
        drafted = self.tell.step(
            "网格员写活动：今晚守小门",
            self.organiser.post("/activities", district.gate(title="今晚守小门", shifts=[shift])),
        )
        published = self._published(drafted)
        self.tell.say(published["shifts"][0]["still_missing"])
        shift_id: str = published["shifts"][0]["id"]
        return shift_id

    def _published(self, drafted: Any) -> Any:
        body = {"version": drafted["version"]}
        return self.tell.step("发布", self.organiser.post(f"/activities/{drafted['id']}/publish", body))

    def _guards(self, shift: str) -> None:
        where, jianjun, organiser = f"/shifts/{shift}", self.jianjun, self.organiser
        self.tell.step("陈建君报名", jianjun.post(f"{where}/sign-up", {"wait": True}))
        self.tell.step("网格员自己也报名", organiser.post(f"{where}/sign-up", {"role": "grid_worker"}))
        seen = self.tell.step("看这个班次", jianjun.get(where))["shift"]
        self.tell.say(f"已报 {seen['taken']} 人，空 {seen['left']} 个；{seen['still_missing']}")
        shown = self.tell.step("网格员打开签到码", organiser.get(f"{where}/code?picture=false"))
        self.tell.say(f"六位数 {shown['code']}，一分钟换一次")
        self.tell.step("陈建君输入六位数签到", jianjun.post(f"{where}/check-in", {"code": shown["code"]}))
        self._time_passes(shift, _TONIGHT + timedelta(hours=3, minutes=30))
        shown = self.tell.step("网格员再打开签到码", organiser.get(f"{where}/code?picture=false"))
        self.tell.step("陈建君扫码签退", jianjun.post("/check-outs", {"scene": shown["scene"]}))
        self._time_passes(shift, timedelta(minutes=45))

    def _time_passes(self, shift: str, time: timedelta) -> None:
        turned_clock.let_pass(self._stack, shift, time)
        hours, minutes = divmod(int(time.total_seconds()) // 60, 60)
        self.tell.say(f"（过了 {hours} 小时 {minutes} 分钟）")

    def _a_minute_passes(self) -> None:
        """The sweep comes by itself each minute; a story does not wait for it."""
        self._stack.sweep(at=datetime.now().astimezone() + timedelta(minutes=1))

    def _sees_hours(self, shift: str) -> None:
        jianjun, organiser = self.jianjun, self.organiser
        confirmed = self.tell.step("网格员一键确认时长", organiser.post(f"/shifts/{shift}/confirm"))
        self.tell.say(
            *(f"· {self._called(each)}　{each['minutes']} 分钟" for each in confirmed["counted"]),
            *(f"· {self._called(each)}　{each['why']}" for each in confirmed["exceptions"]),
        )
        self._a_minute_passes()
        self.tell.phone_shows(jianjun.person, "时长")
        hours = self.tell.step("陈建君看服务时长", jianjun.get("/me/service-hours"))
        self.tell.say(f"一共 {hours['totals']['together_text']}，{hours['totals']['times']} 次")
        points = self.tell.step("陈建君看积分", jianjun.get("/me/points"))
        self.tell.say(f"现有积分 {points['balance']} 分")
        today = datetime.now().astimezone().date()
        period = {"from": f"{today - timedelta(days=365)}", "to": f"{today}"}
        statement = self.tell.attempt("陈建君开具时长证明", jianjun.post("/me/statements", period))
        if statement:
            self.tell.say(f"证明编号 {statement['number']}，{statement['text']}", f"打印：{statement['page']}")
            checked = self.tell.step("任何人凭编号核验", jianjun.get(f"/statements/{statement['number']}"))
            self.tell.say(checked["told"])

    def _called(self, somebody: Any) -> str:
        """As the story calls them: staff have a nickname that tells nobody who they are."""
        name: str = "网格员自己" if somebody["person"] == self.organiser.id else somebody["name"]
        return name

    def _plans_two_weeks(self) -> str:
        """守小门 every day, and two more weeks of it. Returns the first afternoon."""
        tomorrow = datetime.now().astimezone().date() + timedelta(days=1)
        first, then = (district.two_weeks(tomorrow + timedelta(days=days)) for days in (0, 14))
        drafted = self.tell.step(
            "网格员排两周的守小门", self.organiser.post("/activities", district.gate(title="守小门", recurring=first))
        )
        published = self._published(drafted)
        self.tell.say(f"一次建了 {len(published['shifts'])} 个班次")
        more = {"version": published["version"], "recurring": then}
        where = f"/activities/{published['id']}/shifts"
        added = self.tell.step("还要守下去，网格员再加两周", self.organiser.post(where, more))
        self.tell.say(f"又加了 {len(added['shifts'])} 个班次，不用重新发布")
        afternoon: str = published["shifts"][1]["id"]
        return afternoon

    def _rained_out(self, shift: str) -> None:
        leader, *others = self.team
        team = self._founded(leader, others)
        signed_up = self.tell.step(
            f"{TEAM}全队报名明天下午的班", leader.post(f"/shifts/{shift}/team-sign-up", {"team": team["id"]})
        )
        self.tell.say("、".join(each["name"] for each in signed_up["members"]))
        self._a_minute_passes()
        self.tell.phones_show([phone.person for phone in self.team[1:]], "报名")
        for phone in self.team:
            phone.allow_messages("volunteer")
        reason = {"reason": "明天下午有暴雨"}
        self.tell.step("暴雨预警，网格员取消这个班", self.organiser.post(f"/shifts/{shift}/cancel", reason))
        self._a_minute_passes()
        self.tell.phones_show([phone.person for phone in self.team], "取消")

    def _founded(self, leader: Phone, others: list[Phone]) -> dict[str, Any]:
        """The team; played again, it is there already."""
        for each in leader.get("/teams/mine").json["items"]:
            if each["leading"] and each["name"] == TEAM:
                known: dict[str, Any] = leader.get(f"/teams/{each['id']}").json
                return known
        team = self.tell.step(f"吴师傅建小队：{TEAM}", leader.post("/teams", {"name": TEAM}))
        for phone in others:
            joined = phone.post("/teams/join", {"code": team["code"]})
            self.tell.step(f"{self.tell.names[phone.person]}凭邀请码加入", joined)
        return team
