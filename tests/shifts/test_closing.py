"""Who closes their account: of all that volunteering keeps nothing says any more who it was."""

from __future__ import annotations

import pytest

from chalicelib.kit.table import Item
from chalicelib.people.rules import NICKNAME_OF_THE_CLOSED
from tests.neighbourhood import Hood, Neighbour
from tests.shifts import door, evening, gate, organised
from tests.volunteers import crew, desk, hours

NICKNAME, REAL_NAME, REASON = "梧桐树下的老方", "方国强本名", "我那天一直站到中午"


def left_of(*texts: str) -> dict[str, set[str]]:
    """Which items of whom still say one of these, other people's messages apart: they end by themselves."""
    found: dict[str, set[str]] = {}
    for item in Item.scan():
        stored = str(item.serialize())
        if not item.sk.startswith("NOTICE#"):
            for text in texts:
                if text in stored:
                    found.setdefault(text, set()).add(f"{item.pk.partition('#')[0]} {item.sk.partition('#')[0]}")
    return found


def close(who: Neighbour) -> None:
    answer = who.post("/me/close", json={"word": "注销"})
    assert answer.status == 204, answer


@pytest.mark.usefixtures("empty_table")
def test_a_volunteer_leaves_nothing_that_names_them(hood: Hood) -> None:
    worker, organiser = hood.staff("grid_worker", name="网格员甲"), hood.staff("community_worker", name="社工乙")
    fang, others = hood.resident(NICKNAME), [gate.volunteer(hood, "队员") for _ in range(2)]
    desk.applied(fang, name=REAL_NAME)
    desk.approved(fang, by=worker)
    number = desk.mine(fang)["number"]
    fang.put("/me/shift-alerts", json={"on": True})
    team = crew.team(fang, others)
    past, coming, queued = evening.over(hood, organiser=organiser), gate.shift(hood), door.open_shift(hood, capacity=1)
    evening.on(fang, past, came=0, left=120)
    evening.confirmed(organiser, past)
    hours.noted(worker, fang)
    assert evening.ask(fang, past, 200, reason=REASON).status == 201
    statement = hours.issued(fang)["number"]
    organised.good(fang.post(f"/shifts/{coming}/team-sign-up", json={"team": team}))
    gate.signed_up(others[0], queued)
    gate.signed_up(fang, queued, wait=True)
    assert organiser.post(f"/shifts/{coming}/people/{fang.id}/contact", json={"reason": "通知集合地点"}).status == 200
    assert set(left_of(NICKNAME, number)) == {NICKNAME, number}
    close(fang)
    assert left_of(NICKNAME, REAL_NAME, REASON, number) == {}
    slices = {where.partition(" ")[0] for where in left_of(fang.id)[fang.id]}
    assert "VOLUNTEER" not in slices
    assert "TEAM" not in slices
    assert fang.id in str(evening.stand(fang, past).serialize()), "how many were there stays"
    shown = hood.http.get(f"/statements/{statement}")
    assert shown.status == 200
    assert "已注销" in shown.json["told"]
    gate.adds_up(coming)
    gate.adds_up(queued)


@pytest.mark.usefixtures("empty_table")
def test_an_organiser_is_named_only_where_hours_say_who_recorded_them(hood: Hood) -> None:
    fang, other, chen = hood.staff("community_worker", name=NICKNAME), hood.staff("grid_worker"), gate.volunteer(hood)
    fang.put("/me/nickname", json={"nickname": NICKNAME})
    shift = organised.shift_of(fang)
    gate.signed_up(chen, shift)
    past = evening.over(hood, organiser=fang)
    evening.on(chen, past, came=0, left=120)
    evening.confirmed(fang, past)
    assert "ACTIVITY ACTIVITY" in left_of(NICKNAME)[NICKNAME]
    close(fang)
    assert left_of(NICKNAME) == {NICKNAME: {"SHIFT SHIFT", "VOLUNTEER RECORD"}}, "who has confirmed"
    assert other.get(f"/shifts/{shift}").json["organiser_name"] == NICKNAME_OF_THE_CLOSED


@pytest.mark.usefixtures("empty_table")
def test_who_has_left_the_office_is_named_by_it_wherever_staff_read_what_they_did(hood: Hood) -> None:
    fang, other = hood.staff("community_worker", name=NICKNAME), hood.staff("grid_worker")
    fang.put("/me/nickname", json={"nickname": NICKNAME})
    chen, shift = hours.volunteer(hood), evening.over(hood)
    evening.on(chen, shift, came=0, left=120)
    evening.confirmed(fang, shift)
    entry = hours.noted(fang, chen)["id"]
    asked = evening.ask(chen, shift, 200)
    assert (asked.status, asked.json["recorded_by"]) == (201, NICKNAME)
    assert other.get(f"/shifts/{shift}/hours").json["confirmed_by"] == NICKNAME
    close(fang)
    revoked = other.post(f"/volunteers/{chen.id}/entries/{entry}/revoke", json={"reason": "证书编号查无此人"})
    (listed,) = other.get(f"/hours-corrections?area={hood.community}").json["items"]
    office = "桂苑社区工作人员"
    assert (revoked.json["recorded_by"], revoked.json["revoked_by"]) == (office, evening.nickname(other))
    assert listed["recorded_by"] == office
    assert evening.decide(other, asked.json["id"]).json["recorded_by"] == office
    assert other.get(f"/shifts/{shift}/hours").json["confirmed_by"] == office
    assert evening.ask(chen, shift, 100).json["recorded_by"] == evening.nickname(other)
    assert set(left_of(NICKNAME)[NICKNAME]) == {"SHIFT SHIFT", "VOLUNTEER RECORD", "VOLUNTEER ENTRY"}
