"""A volunteer guards the gate: from the application to a statement of hours that anybody can verify, a correction that
revokes it, a team whose shift is rained out, and a freed place that goes to whoever waits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from local import district, turned_clock
from local.phone import Phone
from local.stack import Stack
from tests.story.conftest import received, soon

People = Callable[[str], Phone]
Newcomer = Callable[[str, str], Phone]

TODAY = datetime.now().astimezone()
YEAR = {"from": f"{TODAY.date() - timedelta(days=300)}", "to": f"{TODAY.date()}"}


def test_from_the_application_to_a_statement_that_a_correction_revokes(
    stage: Stack, phone: People, newcomer: Newcomer
) -> None:
    organiser, colleague = phone("grid-worker"), staff(stage, newcomer("gate-colleague", "社区工作人员"))
    chen = newcomer("gate-chen", "陈建君")
    tonight = shift_in_twenty_minutes(organiser, capacity=3, quorum={"volunteer": 1, "community_worker": 1})
    where = f"/shifts/{tonight}"

    assert chen.post(f"{where}/sign-up").code == "volunteer_approval_needed"
    becomes_a_volunteer(chen, organiser)
    soon(lambda: received(stage, "gate-chen", "通过"))
    today = chen.get(f"/shifts?area={district.COMMUNITY}&day={day_of(organiser, tonight)}").json["items"]
    assert (
        next(each for each in today if each["id"] == tonight)["still_missing"] == "还缺：志愿者 1 名、社区工作人员 1 名"
    )

    signed_up = chen.post(f"{where}/sign-up", key="one-tap")
    assert signed_up.status == 201
    assert chen.post(f"{where}/sign-up", key="one-tap").json == signed_up.json, "a second tap changes nothing"
    assert colleague.post(f"{where}/sign-up", {"role": "community_worker"}).status == 201
    assert chen.get(where).json["shift"]["still_missing"] == ""
    assert [each["name"] for each in organiser.get(f"{where}/people").json["people"]].count("陈建君") <= 1

    assert chen.post(f"{where}/check-in", {"code": "not digits"}).status == 422
    code = organiser.get(f"{where}/code").json
    assert code["picture"].startswith("data:image/"), "drawn by WeChat"
    assert chen.post(f"{where}/check-in", {"code": code["code"]}).json["state"] == "checked_in"
    assert chen.post("/check-ins", {"scene": code["scene"]}).code == "already_checked_in"
    turned_clock.let_pass(stage, tonight, timedelta(hours=3, minutes=50))
    scene = organiser.get(f"{where}/code?picture=false").json["scene"]
    assert chen.post("/check-outs", {"scene": scene}).json["state"] == "checked_out"
    turned_clock.let_pass(stage, tonight, timedelta(minutes=40))

    confirmed = organiser.post(f"{where}/confirm").json
    ((who, served),) = [(each["person"], each["minutes"]) for each in confirmed["counted"]]
    assert who == chen.id
    assert 210 <= served < 216, "and the minutes that the test itself takes"
    assert [(each["person"], each["reason"]) for each in confirmed["exceptions"]] == [(colleague.id, "no_show")]
    a_minute_passes(stage)
    soon(lambda: hours(chen) == served)
    assert chen.get("/me/points").json["balance"] == 17, "five an hour, rounded down once"

    statement = chen.post("/me/statements", YEAR).json
    number = statement["number"]
    shown = Phone(stage.api_url, stage.wechat, "nobody").get(f"/statements/{number}").json
    assert (shown["state"], shown["totals"]["together"]) == ("valid", served)
    page = Phone(stage.api_url, stage.wechat, "nobody").get(f"/statements/{number}/page")
    assert number in page.content.decode()

    asked = chen.post(f"{where}/hours/corrections", {"minutes": 240, "reason": "签退晚了，一直在门口"}).json
    assert organiser.post(f"/hours-corrections/{asked['id']}/accept").status == 409, "who recorded does not decide"
    assert colleague.post(f"/hours-corrections/{asked['id']}/accept").json["state"] == "accepted"
    assert hours(chen) == 240
    assert chen.get("/me/points").json["balance"] == 20, "the difference, and nothing twice"
    assert chen.get(f"/statements/{number}").json["state"] == "revoked"
    assert chen.post("/me/statements", YEAR).json["minutes"] == 240


def test_a_freed_place_goes_to_the_first_who_waits(stage: Stack, phone: People, newcomer: Newcomer) -> None:
    organiser = phone("grid-worker")
    shift = shift_in_twenty_minutes(organiser, capacity=1)
    first, second, third = (newcomer(f"gate-{number}", f"志愿者{number}") for number in ("one", "two", "three"))
    for each in (first, second, third):
        becomes_a_volunteer(each, organiser)
        each.allow_messages("volunteer")
    assert first.post(f"/shifts/{shift}/sign-up").status == 201
    assert second.post(f"/shifts/{shift}/sign-up").code == "shift_full"
    for each in (second, third):
        assert each.post(f"/shifts/{shift}/sign-up", {"wait": True}).json["state"] == "waiting"
    assert first.post(f"/shifts/{shift}/withdraw").json["late_withdrawals"] == 1
    soon(lambda: received(stage, "gate-two", "已为您报上名"))
    assert second.get(f"/shifts/{shift}").json["mine"]["state"] == "signed_up"
    assert third.get(f"/shifts/{shift}").json["mine"]["position"] == 1


def test_a_team_signs_up_whole_and_is_told_that_it_rains(stage: Stack, phone: People, newcomer: Newcomer) -> None:
    organiser, team = phone("grid-worker"), [phone(person) for person in ("worker-wu", "worker-shen", "worker-lu")]
    leader = team[0]
    for each in team:
        becomes_a_volunteer(each, organiser)
        each.allow_messages("volunteer")
    founded = leader.post("/teams", {"name": "工人护企队"}).json
    for each in team[1:]:
        assert each.post("/teams/join", {"code": founded["code"]}).status == 200
    with_team = {"team": founded["id"]}

    first, then = (district.two_weeks(TODAY.date() + timedelta(days=days), capacity=2) for days in (1, 15))
    activity = published(organiser, district.gate(title="守小门", recurring=first))
    shifts, where = [each["id"] for each in activity["shifts"]], f"/activities/{activity['id']}"
    added = organiser.post(f"{where}/shifts", {"version": activity["version"], "recurring": then})
    assert (len(shifts), len(added.json["shifts"])) == (28, 28), "two more weeks are one act, too"
    assert leader.get(where).json["shifts"][28:] == added.json["shifts"]
    shift = shifts[1]
    refused = leader.post(f"/shifts/{shift}/team-sign-up", with_team)
    assert refused.code == "only_some_places_left"
    assert organiser.get(f"/shifts/{shift}").json["shift"]["taken"] == 0, "all of them, or none"
    version = organiser.get(f"/shifts/{shift}").json["shift"]["version"]
    assert organiser.post(f"/shifts/{shift}/change", {"version": version, "capacity": 3}).status == 200
    a_minute_passes(stage)
    assert leader.post(f"/shifts/{shift}/team-sign-up", with_team).status == 201
    assert organiser.get(f"/shifts/{shift}").json["shift"]["left"] == 0

    for each in team:
        each.allow_messages("volunteer")
    assert organiser.post(f"/shifts/{shift}/cancel", {"reason": "明天下午有暴雨"}).status == 200
    a_minute_passes(stage)
    for person in ("worker-wu", "worker-shen", "worker-lu"):
        soon(lambda person=person: received(stage, person, "取消"))
    assert [each.get(f"/shifts/{shift}").json["mine"]["state"] for each in team] == ["cancelled"] * 3
    assert leader.post(f"/shifts/{shift}/sign-up").code == "shift_cancelled"
    assert leader.post(f"/shifts/{shifts[3]}/sign-up").status == 201, "the others go on"


def a_minute_passes(stage: Stack) -> None:
    stage.sweep(at=datetime.now().astimezone() + timedelta(minutes=1))


def becomes_a_volunteer(somebody: Phone, organiser: Phone) -> None:
    if somebody.get("/me/volunteer").json["state"] == "approved":
        return
    somebody.allow_messages("volunteer")
    application = district.application("chen-jianjun") | {"name": "志愿者"}
    assert somebody.post("/me/volunteer", application).status == 201
    assert organiser.post(f"/volunteers/{somebody.id}/approve").status == 200


def shift_in_twenty_minutes(organiser: Phone, **terms: Any) -> str:
    begins = datetime.now().astimezone().replace(second=0, microsecond=0) + timedelta(minutes=20)
    times = {
        "start": begins.isoformat(),
        "end": (begins + timedelta(hours=4)).isoformat(),
    }
    activity = published(organiser, district.gate(title="今晚守小门", shifts=[times | {"place": "东门"} | terms]))
    shift: str = activity["shifts"][0]["id"]
    return shift


def published(organiser: Phone, activity: dict[str, Any]) -> dict[str, Any]:
    drafted = organiser.post("/activities", activity)
    assert drafted.status == 201, drafted
    answer = organiser.post(f"/activities/{drafted.json['id']}/publish", {"version": drafted.json["version"]})
    assert answer.status == 200, answer
    made: dict[str, Any] = answer.json
    return made


def day_of(somebody: Phone, shift: str) -> str:
    start: str = somebody.get(f"/shifts/{shift}").json["shift"]["start"]
    return start[:10]


def hours(volunteer: Phone) -> int:
    minutes: int = volunteer.get("/me/service-hours").json["totals"]["together"]
    return minutes


def staff(stage: Stack, somebody: Phone) -> Phone:
    """A community worker of the demo community."""
    duty = {"command": "grant_duty", "resident_id": somebody.id, "role": "community_worker", "area": district.COMMUNITY}
    answer = stage.invoke("administer", duty)
    assert answer["ok"], answer
    return somebody
