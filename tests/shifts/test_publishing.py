"""Publishing an activity: checked texts, then all shifts at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.content.models import Review
from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.shifts.models import Activity, Shift
from chalicelib.shifts.planning import personal as organiser_personal
from chalicelib.shifts.planning import plans
from local.wechat import catalogue
from local.wechat.control import StandIn
from tests.engine.budget import budget
from tests.engine.http import Http
from tests.engine.meanwhile import meanwhile
from tests.help.street import Street, at_once
from tests.neighbourhood import Hood, Neighbour
from tests.shifts import gate, organised
from tests.shifts.organised import drafted, gates, good, published, single


@pytest.fixture
def hood(http: Http, wechat: StandIn) -> Street:
    """A neighbourhood whose people are there without a login each."""
    return Street(http, wechat)


YES = {"decision": "approve"}
DOUBTFUL, RISKY = sorted(catalogue.REVIEW_WORDS)[0], sorted(catalogue.RISKY_WORDS)[0]


def publish(who: Neighbour, activity: str, key: str | None = None, version: int = 0):
    return who.post(f"/activities/{activity}/publish", json={"version": version}, key=key)


def review_of(hood: Hood) -> str:
    found = Item.by_area.query(Review.list_key(hood.community), Item.area_sort.startswith(hood.community))
    (review,) = [each for each in found if isinstance(each, Review)]
    return review.id


def test_28_shifts_are_there_at_once_by_one_write_each_once(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    made = drafted(worker, recurring=gates(), points_an_hour=5)
    with budget() as spent:
        done = good(publish(worker, made["id"], key="p"))
    assert [call for call in spent.calls if "Write" in call] == ["dynamodb TransactWriteItems"]
    assert (done["state"], done["version"], len({each["id"] for each in done["shifts"]})) == ("published", 1, 28)
    assert {each["still_missing"] for each in done["shifts"]} == {"还缺：志愿者 2 名、社区工作人员 1 名"}
    assert [each["start"] for each in done["shifts"]] == [each["start"] for each in made["shifts"]]
    assert good(publish(worker, made["id"], key="p")) == done
    assert publish(worker, made["id"]).code == "step_not_possible"
    activity, first = organised.activity_of(made["id"]), gate.stored(done["shifts"][0]["id"])
    assert (activity.timer, activity.plan) == ("shifts.announce", [])
    assert (first.timer, first.due_at) == ("shifts.end", first.end_at + timedelta(hours=2))
    assert (first.activity, first.organiser, first.points_an_hour) == (made["id"], worker.id, 5)
    assert good(hood.resident().get(f"/activities/{made['id']}")) == done


def test_what_was_published_can_be_signed_up_for(hood: Hood) -> None:
    shift = organised.shift_of(hood.staff("grid_worker"), shifts=[single(capacity=1)])
    gate.signed_up(gate.volunteer(hood), shift)
    assert gate.sign_up(gate.volunteer(hood), shift).code == "shift_full"
    gate.adds_up(shift)


def test_a_risky_text_or_place_is_refused_and_the_draft_stays(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    for change in ({"title": f"守{RISKY}"}, {"text": f"来{RISKY}"}, {"shifts": [single(place=f"{RISKY}门")]}):
        made = drafted(worker, **change)
        assert publish(worker, made["id"]).code == "content_refused"
        assert good(worker.get(f"/activities/{made['id']}")) == made


def test_in_doubt_it_waits_for_a_moderator_and_then_has_its_shifts(hood: Hood) -> None:
    worker, moderator = hood.staff("grid_worker"), hood.staff("moderator")
    made = drafted(worker, text=f"守门{DOUBTFUL}", recurring=gates(3))
    held = good(publish(worker, made["id"]))
    assert held["state"] == "in_review"
    assert {each["id"] for each in held["shifts"]} == {None}
    assert hood.resident().get(f"/activities/{made['id']}").code == "activity_not_found"
    assert publish(worker, made["id"]).code == "step_not_possible"
    good(moderator.post(f"/reviews/{review_of(hood)}/decide", json={"decision": "approve"}))
    shown = good(worker.get(f"/activities/{made['id']}"))
    assert (shown["state"], len(shown["shifts"])) == ("published", 6)
    assert all(gate.stored(each["id"]).state == "published" for each in shown["shifts"])
    assert organised.activity_of(made["id"]).timer == "shifts.announce"
    assert "content_approved" in worker.told


def test_a_moderator_refuses_it_with_a_reason(hood: Hood) -> None:
    worker, moderator = hood.staff("grid_worker"), hood.staff("moderator")
    made = drafted(worker, text=f"守门{DOUBTFUL}")
    publish(worker, made["id"])
    refusal = {"decision": "refuse", "reason": "请写清楚要做什么"}
    good(moderator.post(f"/reviews/{review_of(hood)}/decide", json=refusal))
    shown = good(worker.get(f"/activities/{made['id']}"))
    assert (shown["state"], shown["reason"]) == ("refused", "请写清楚要做什么")
    assert publish(worker, made["id"]).code == "step_not_possible"


@pytest.mark.parametrize("all_past", [False, True])
def test_a_verdict_that_comes_late_makes_only_the_shifts_to_come(hood: Hood, all_past: bool) -> None:
    worker, moderator = hood.staff("grid_worker"), hood.staff("moderator")
    made = drafted(worker, text=f"守门{DOUBTFUL}", shifts=[single(1), single(2)])
    publish(worker, made["id"])
    activity = organised.activity_of(made["id"])
    for each in activity.plan[: 2 if all_past else 1]:
        each["start"] = clock.stamp(clock.now() - timedelta(hours=1))
    activity.update([Activity.plan.set(activity.plan)])
    good(moderator.post(f"/reviews/{review_of(hood)}/decide", json={"decision": "approve"}))
    shown = organised.activity_of(made["id"])
    assert (shown.state, len(shown.shifts)) == (("cancelled", 0) if all_past else ("published", 1))
    (notice,) = organised.told(worker, "activity_approved_late")
    assert ("2 个班次" if all_past else "1 个班次") in notice.text


def test_withdrawn_from_review_it_is_moot(hood: Hood) -> None:
    worker, moderator = hood.staff("grid_worker"), hood.staff("moderator")
    made = drafted(worker, text=f"守门{DOUBTFUL}")
    publish(worker, made["id"])
    good(worker.post(f"/activities/{made['id']}/cancel", json={"reason": "不办了"}))
    assert good(moderator.post(f"/reviews/{review_of(hood)}/decide", json={"decision": "approve"}))["state"] == "moot"
    assert organised.activity_of(made["id"]).state == "cancelled"


def test_a_draft_whose_first_shift_has_begun_is_to_be_edited_first(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    made = drafted(worker, shifts=[single(1), single(2)])
    activity = organised.activity_of(made["id"])
    activity.plan[0]["start"] = clock.stamp(clock.now() - timedelta(minutes=1))
    activity.update([Activity.plan.set(activity.plan)])
    assert publish(worker, made["id"]).code == "draft_outdated"


def test_only_who_looks_after_the_area_publishes(hood: Hood) -> None:
    made = drafted(hood.staff("grid_worker"))
    for who in (hood.resident(), hood.staff("moderator"), hood.staff("grid_worker", f"{hood.street}002")):
        assert publish(who, made["id"]).code == "activity_not_found"
    assert good(publish(hood.staff("community_worker"), made["id"]))["state"] == "published"


def test_what_a_colleague_changed_since_is_not_published_unseen(hood: Hood) -> None:
    worker, colleague = hood.staff("grid_worker"), hood.staff("community_worker")
    made = drafted(worker, shifts=[single(1)])
    body = organised.form(worker, title="夜间巡逻", shifts=[single(3)], version=0)
    good(colleague.put(f"/activities/{made['id']}", json=body))
    stale = publish(worker, made["id"])
    assert (stale.status, stale.code) == (409, "version_outdated")
    shown = good(worker.get(f"/activities/{made['id']}"))
    assert (shown["state"], shown["title"]) == ("draft", "夜间巡逻")
    done = good(publish(worker, made["id"], key="p", version=shown["version"]))
    assert good(publish(worker, made["id"], key="p", version=shown["version"])) == done
    assert publish(worker, made["id"], key="p", version=0).code == "idempotency_key_reused"
    for body in ({}, {"version": None}, {"version": -1}, {"version": True}):
        assert worker.post(f"/activities/{made['id']}/publish", json=body).status == 422


def test_published_and_edited_at_once_it_is_one_after_the_other(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    for _ in range(3):
        made = drafted(worker, shifts=[single(1)])
        body = organised.form(worker, shifts=[single(3), single(4)], version=0)
        done, edited, again = at_once(
            lambda made=made: publish(worker, made["id"]),
            lambda made=made, body=body: worker.put(f"/activities/{made['id']}", json=body),
            lambda made=made: publish(worker, made["id"]),
        )
        shown = good(worker.get(f"/activities/{made['id']}"))
        if edited.status == 200:
            assert (shown["state"], done.code, again.code) == ("draft", "version_outdated", "version_outdated")
            continue
        assert sorted((done.status, again.status)) == [200, 409]
        assert (shown["state"], len(shown["shifts"])) == ("published", 1)


def test_45_shifts_fit_into_one_write_and_one_cancellation(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    made = published(worker, shifts=[single(n) for n in range(1, 46)])
    assert len(made["shifts"]) == 45
    with budget() as spent:
        good(worker.post(f"/activities/{made['id']}/cancel", json={"reason": "天气不好"}))
    assert spent.calls.count("dynamodb TransactWriteItems") == 1
    assert {gate.stored(each["id"]).state for each in made["shifts"]} == {"cancelled"}


def test_the_ids_of_its_shifts_are_the_same_whenever_they_are_made(hood: Hood) -> None:
    made = drafted(hood.staff("grid_worker"), recurring=gates(2))
    from chalicelib.shifts.planning import publishing

    activity = organised.activity_of(made["id"])
    first, again = (publishing.shifts(activity, plans.from_stored(activity.plan), of=activity.id) for _ in range(2))
    assert [each.id for each in first] == [each.id for each in again]
    assert len({each.id for each in first}) == 4


class TestLeaving:
    """Who organised something closes their account."""

    def test_what_nobody_saw_is_gone_and_what_was_published_stays_without_their_name(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker", name="王网格")
        thrown, shown = drafted(worker), published(worker)
        entries = list(organiser_personal.export(worker.id))
        assert [each["状态"] for each in entries] == ["草稿", "已发布", "班次"]
        assert len(entries[0]["班次"]) == 1
        for _ in range(2):
            organiser_personal.erase(worker.id, now=clock.now())
        key = Activity.key(thrown["id"])
        assert Activity.find(key.pk, key.sk) is None
        kept, shift = organised.activity_of(shown["id"]), gate.stored(shown["shifts"][0]["id"])
        assert isinstance(shift, Shift)
        for each in (kept, shift):
            assert (each.organiser, each.organiser_name, each.person_key) == (None, "已注销用户", None)
            assert "王网格" not in str(each.to_simple_dict())
        assert (kept.state, shift.state) == ("published", "published")
        assert list(organiser_personal.export(worker.id)) == []

    def test_what_a_moderator_lets_through_in_the_same_moment_does_not_keep_them_either(self, hood: Hood) -> None:
        worker, moderator = hood.staff("grid_worker", name="王网格"), hood.staff("moderator")
        made = drafted(worker, text=f"守门{DOUBTFUL}")
        publish(worker, made["id"])
        review = review_of(hood)
        with meanwhile(f"ACTIVITY#{made['id']}", lambda: moderator.post(f"/reviews/{review}/decide", json=YES)):
            organiser_personal.erase(worker.id, now=clock.now())
        kept = organised.activity_of(made["id"])
        for each in (kept, gate.stored(kept.shifts[0])):
            assert (each.state, each.organiser, each.person_key) == ("published", None, None)
            assert "王网格" not in str(each.to_simple_dict())
