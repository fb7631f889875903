"""Changing a shift that people have signed up for: told what is new, and free to leave."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices.models import Notice
from chalicelib.people import personal_data
from chalicelib.people.models import partition as resident_partition
from chalicelib.shifts.models import Shift, SignUp
from chalicelib.volunteers.models import Volunteer
from local.wechat import catalogue
from local.wechat.control import StandIn
from tests.engine.http import Http
from tests.help.street import Street, at_once
from tests.neighbourhood import Hood, Neighbour
from tests.shifts import evening, gate, organised
from tests.shifts.organised import at, change, good, shift_of, single, told, walk

NOW = clock.now().replace(second=0, microsecond=0)


@pytest.fixture
def hood(http: Http, wechat: StandIn) -> Street:
    """A neighbourhood whose people are there without a login each."""
    return Street(http, wechat)


def test_everybody_is_told_old_and_new_and_the_time_moves_in_their_diary(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    shift = shift_of(worker, shifts=[single(3, capacity=1)])
    chen, waiting = gate.volunteer(hood, "陈建君"), gate.volunteer(hood)
    gate.signed_up(chen, shift)
    gate.signed_up(waiting, shift, wait=True)
    changed = good(change(worker, shift, version=0, start=at(3, 14), end=at(3, 18), place="南门", key="k"))
    assert (changed["version"], changed["place"]) == (1, "南门")
    assert good(change(worker, shift, version=0, start=at(3, 14), end=at(3, 18), place="南门", key="k")) == changed
    walk(shift)
    for who in (chen, waiting):
        (notice,) = told(who, "shift_changed")
        assert "08:00–12:00 改为" in notice.text
        assert "14:00–18:00；地点由“桂苑社区东门”改为“南门”" in notice.text
        assert notice.matters
        mine = gate.place_of(who, shift)
        assert (mine.told, mine.place, mine.start_at, mine.end_at) == (1, "南门", at(3, 14), at(3, 18))
        assert mine.person_sort.startswith(clock.stamp(at(3, 14)))
        assert gate.file_of(who).taken[shift] == [int(at(3, 14).timestamp()), int(at(3, 18).timestamp())]
    assert organised.rounds_of(shift) == []
    stored = gate.adds_up(shift)
    assert stored.area_sort.startswith(clock.stamp(at(3, 14)))
    assert stored.person_sort == stored.area_sort
    assert (stored.timer, stored.due_at) == ("shifts.end", at(3, 20))
    assert gate.queue(shift) == [waiting.id]


def test_who_signs_up_after_the_change_need_not_be_told(hood: Hood) -> None:
    worker, late = hood.staff("grid_worker"), gate.volunteer(hood)
    shift = shift_of(worker)
    good(change(worker, shift, place="南门"))
    gate.signed_up(late, shift)
    walk(shift)
    assert told(late, "shift_changed") == []


def test_two_changes_before_anybody_was_told_are_told_as_what_is_new_to_them(hood: Hood) -> None:
    worker, chen = hood.staff("grid_worker"), gate.volunteer(hood)
    shift = shift_of(worker)
    gate.signed_up(chen, shift)
    good(change(worker, shift, place="南门"))
    good(change(worker, shift, place="西门"))
    good(change(worker, shift, capacity=9))
    walk(shift)
    (notice,) = told(chen, "shift_changed")
    assert "“桂苑社区东门”改为“西门”" in notice.text
    (terms,) = told(chen, "shift_terms_changed")
    assert "名额由 4 名改为 9 名" in terms.text
    assert gate.place_of(chen, shift).told == 3


def test_only_other_numbers_are_no_reason_to_wake_anybody(hood: Hood) -> None:
    worker, chen = hood.staff("grid_worker"), gate.volunteer(hood)
    shift = shift_of(worker)
    gate.signed_up(chen, shift)
    good(change(worker, shift, quorum={"volunteer": 3}))
    walk(shift)
    (notice,) = told(chen, "shift_terms_changed")
    assert "最少人数由 不限 改为 志愿者 3 名" in notice.text
    assert (notice.push_state, notice.matters) == ("inbox_only", False)


def test_whose_other_shift_is_then_is_taken_off_and_the_next_moves_up(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    other, shift = shift_of(worker, shifts=[single(3, 14, 18)]), shift_of(worker, shifts=[single(3, capacity=1)])
    busy, next_one = gate.volunteer(hood), gate.volunteer(hood)
    gate.signed_up(busy, other)
    gate.signed_up(busy, shift)
    gate.signed_up(next_one, shift, wait=True)
    good(change(worker, shift, start=at(3, 15), end=at(3, 19)))
    walk(shift)
    mine = gate.place_of(busy, shift)
    assert (mine.state, mine.cancelled_by, mine.late_withdrawals) == ("cancelled", "shift", 0)
    assert list(gate.file_of(busy).taken) == [other]
    (notice,) = told(busy, "shift_changed_clash")
    assert "冲突" in notice.text
    assert gate.state_of(next_one, shift) == "signed_up"
    assert gate.file_of(next_one).taken[shift][0] == int(at(3, 15).timestamp())
    assert gate.adds_up(shift).taken == 1


def test_a_larger_capacity_lets_in_who_waits_in_their_order(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    shift = shift_of(worker, shifts=[single(capacity=1)])
    people = [gate.volunteer(hood) for _ in range(4)]
    for who in people:
        gate.signed_up(who, shift, wait=True)
    good(change(worker, shift, capacity=3))
    assert gate.sign_up(gate.volunteer(hood), shift).code == "shift_full", "those who wait come first"
    walk(shift)
    assert [gate.state_of(who, shift) for who in people] == ["signed_up"] * 3 + ["waiting"]
    assert gate.adds_up(shift).taken == 3


class TestLeaving:
    def test_within_a_day_of_being_told_is_never_late(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), gate.volunteer(hood)
        now = clock.now().replace(second=0, microsecond=0)
        shift = shift_of(worker, shifts=[single(3)])
        gate.signed_up(chen, shift)
        good(change(worker, shift, start=now + timedelta(hours=3), end=now + timedelta(hours=5)))
        walk(shift)
        assert chen.post(f"/shifts/{shift}/withdraw").json["late_withdrawals"] == 0
        assert told(worker, "shift_late_withdrawal") == []

    def test_nor_before_one_was_told(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), gate.volunteer(hood)
        shift = gate.shift(hood, organiser=worker, starts=timedelta(hours=3))
        gate.signed_up(chen, shift)
        good(change(worker, shift, place="南门"))
        chen.post(f"/shifts/{shift}/withdraw")
        walk(shift)
        assert gate.place_of(chen, shift).late_withdrawals == 0
        assert told(chen, "shift_changed") == []

    @pytest.mark.parametrize(("days_ago", "late"), [(0, 0), (2, 1)])
    def test_a_change_of_long_ago_is_no_excuse(self, hood: Hood, days_ago: int, late: int) -> None:
        chen = gate.volunteer(hood)
        shift = gate.shift(hood, organiser=hood.staff("grid_worker"), starts=timedelta(hours=3))
        gate.signed_up(chen, shift)
        with transaction() as tx:
            told_at = clock.now() - timedelta(days=days_ago)
            tx.update(SignUp.key(shift, chen.id), [SignUp.changed_at.set(told_at)])
        chen.post(f"/shifts/{shift}/withdraw")
        assert gate.place_of(chen, shift).late_withdrawals == late


class TestWhoHasCheckedInBeforeTheStart:
    """Check-in opens half an hour before the start, and until then everything may still change."""

    def here(self, hood: Hood, who: Neighbour, shift: str) -> None:
        organised.start_now(shift, ago=timedelta(minutes=-20))
        with transaction() as tx:
            came = [SignUp.state.set("checked_in"), SignUp.in_at.set(clock.now()), SignUp.in_by.set("code")]
            tx.update(SignUp.key(shift, who.id), came)

    def test_checks_in_again_for_a_later_time_and_may_leave(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), gate.volunteer(hood)
        shift = shift_of(worker)
        gate.signed_up(chen, shift)
        self.here(hood, chen, shift)
        good(change(worker, shift, start=at(2, 8), end=at(2, 12)))
        walk(shift)
        mine = gate.place_of(chen, shift)
        assert (mine.state, mine.in_at, mine.in_by, mine.start_at) == ("signed_up", None, None, at(2, 8))
        assert "重新签到" in told(chen, "shift_changed")[0].text
        assert chen.post(f"/shifts/{shift}/withdraw").json["state"] == "cancelled"
        assert gate.adds_up(shift).taken == 0

    def test_is_taken_off_when_the_new_time_is_that_of_another_shift(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), gate.volunteer(hood)
        shift, other = shift_of(worker), shift_of(worker, shifts=[single(4)])
        gate.signed_up(chen, shift)
        gate.signed_up(chen, other)
        self.here(hood, chen, shift)
        good(change(worker, shift, start=at(4, 8), end=at(4, 12)))
        walk(shift)
        assert (gate.state_of(chen, shift), gate.adds_up(shift).taken) == ("cancelled", 0)
        assert list(gate.file_of(chen).taken) == [other]

    def test_stays_checked_in_when_only_the_place_or_some_minutes_change(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), gate.volunteer(hood)
        shift = shift_of(worker)
        gate.signed_up(chen, shift)
        self.here(hood, chen, shift)
        start = gate.stored(shift).start_at
        good(change(worker, shift, start=start + timedelta(minutes=5), place="南门"))
        walk(shift)
        assert gate.state_of(chen, shift) == "checked_in"
        assert "重新签到" not in told(chen, "shift_changed")[0].text


@pytest.mark.parametrize("what", ["changed", "cancelled"])
def test_nothing_is_written_of_whoever_has_closed_their_account(hood: Hood, what: str) -> None:
    worker, chen = hood.staff("grid_worker"), gate.volunteer(hood)
    shift = shift_of(worker)
    gate.signed_up(chen, shift)
    organised.start_now(shift)
    organised.check_in(chen, shift)
    evening.closed(chen.id)
    personal_data.erase(chen.id, now=clock.now())
    end = gate.stored(shift).end_at
    good(change(worker, shift, end=end + timedelta(hours=1)) if what == "changed" else organised.cancel(worker, shift))
    walk(shift)
    key = Volunteer.key(chen.id)
    assert Volunteer.find(key.pk, key.sk) is None
    assert list(Notice.query(resident_partition(chen.id), Item.sk.startswith(Notice.PREFIX))) == []
    assert gate.place_of(chen, shift).state == ("checked_in" if what == "changed" else "checked_out")


class TestUnderWay:
    def test_only_its_end_and_its_capacity_may_change(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), gate.volunteer(hood)
        shift = shift_of(worker)
        gate.signed_up(chen, shift)
        organised.start_now(shift)
        organised.check_in(chen, shift)
        begun = gate.stored(shift)
        refused = change(worker, shift, start=at(5, 8), end=at(5, 12), place="南门", quorum={"volunteer": 1})
        assert set(refused.wrong) == {"start", "place", "quorum"}
        assert change(
            worker, shift, end=(clock.now() - timedelta(minutes=1)).replace(second=0, microsecond=0)
        ).wrong.keys() == {"end"}
        good(change(worker, shift, end=begun.end_at + timedelta(hours=1), capacity=9, start=begun.start_at))
        walk(shift)
        mine = gate.place_of(chen, shift)
        assert (mine.state, mine.end_at) == ("checked_in", begun.end_at + timedelta(hours=1))

    def test_who_has_to_go_on_elsewhere_keeps_the_place_and_may_leave_earlier(self, hood: Hood) -> None:
        worker, chen = hood.staff("grid_worker"), gate.volunteer(hood)
        shift = shift_of(worker)
        gate.signed_up(chen, shift)
        organised.start_now(shift, left=timedelta(hours=1))
        end = gate.stored(shift).end_at
        other = gate.shift(hood, starts=end - clock.now() + timedelta(minutes=10))
        gate.signed_up(chen, other)
        organised.check_in(chen, shift)
        good(change(worker, shift, end=end + timedelta(hours=2)))
        walk(shift)
        assert gate.state_of(chen, shift) == "checked_in"
        assert "可以提前离开" in told(chen, "shift_changed")[0].text
        assert other in gate.file_of(chen).taken

    def test_once_it_is_over_nothing_changes(self, hood: Hood) -> None:
        worker = hood.staff("grid_worker")
        shift = shift_of(worker)
        gate.in_the_past(shift, start=clock.now() - timedelta(hours=5), end=clock.now() - timedelta(hours=1))
        assert change(worker, shift, capacity=9).code == "shift_over"


def test_what_is_refused_changes_nothing(hood: Hood) -> None:
    worker, head = hood.staff("grid_worker"), hood.staff("micro_grid_head")
    shift = shift_of(worker, shifts=[single(quorum={"micro_grid_head": 1})])
    for _ in range(2):
        gate.signed_up(gate.volunteer(hood), shift)
    gate.signed_up(head, shift, role="micro_grid_head")
    risky, doubtful = sorted(catalogue.RISKY_WORDS)[0], sorted(catalogue.REVIEW_WORDS)[0]
    for terms, code in (
        ({"capacity": 1}, "fewer_than_signed_up"),
        ({"quorum": {"volunteer": 1}}, "role_signed_up"),
        ({"place": risky}, "content_refused"),
        ({"place": doubtful}, "place_in_doubt"),
        ({"version": 7, "place": "南门"}, "version_outdated"),
        ({}, "nothing_to_change"),
        ({"capacity": 4, "place": "桂苑社区东门"}, "nothing_to_change"),
    ):
        assert change(worker, shift, **terms).code == code, terms
    for terms, field in (
        ({"start": NOW - timedelta(hours=1), "end": NOW + timedelta(hours=1)}, "start"),
        ({"start": at(400, 8), "end": at(400, 12)}, "start"),
        ({"end": at(2, 7)}, "end"),
        ({"quorum": {"volunteer": 5, "micro_grid_head": 1}}, "quorum"),
        ({"place": "\u200b"}, "place"),
    ):
        answer = change(worker, shift, **terms)
        assert set(answer.wrong) == {field}, (terms, answer)
    hood.wechat.break_("down", "/wxa/msg_sec_check")
    assert change(worker, shift, place="南门").status == 503
    hood.wechat.mend()
    for who in (hood.resident(), hood.staff("moderator"), hood.staff("grid_worker", f"{hood.street}002")):
        assert change(who, shift, place="南门").code == "duty_needed"
    assert (gate.adds_up(shift).version, organised.rounds_of(shift)) == (0, [])


@pytest.mark.parametrize("seed", range(2))
def test_changed_while_people_come_and_go_everybody_knows_the_shift_as_it_is(hood: Hood, seed: int) -> None:
    worker = hood.staff("grid_worker")
    shift = shift_of(worker, shifts=[single(3, capacity=3)])
    people = [gate.volunteer(hood) for _ in range(7)]
    for who in people[:4]:
        gate.signed_up(who, shift, wait=True)
    acts = [
        *(lambda who=who: gate.sign_up(who, shift, wait=True) for who in people[4:]),
        *(lambda who=who: who.post(f"/shifts/{shift}/withdraw") for who in people[:2]),
        lambda: change(worker, shift, version=0, start=at(3, 13), end=at(3, 17), capacity=4),
        lambda: change(worker, shift, version=0, place="南门"),
    ]
    random.Random(seed).shuffle(acts)
    answers = at_once(*acts)
    assert {answer.status for answer in answers} <= {200, 201, 409}, answers
    walk(shift)
    stored = gate.adds_up(shift)
    assert stored.version == 1
    times = [int(stored.start_at.timestamp()), int(stored.end_at.timestamp())]
    for who in people:
        mine = gate.place_of(who, shift)
        if mine is None or mine.state == "cancelled":
            assert shift not in gate.file_of(who).taken
        else:
            assert (mine.place, mine.start_at, mine.end_at) == (stored.place, stored.start_at, stored.end_at)
            assert gate.file_of(who).taken[shift] == times
            assert len(told(who, "shift_changed")) <= 1
    assert not (stored.waiting and stored.taken < stored.capacity), "nobody waits while there is a place"
    assert isinstance(stored, Shift)
