"""Time to rest between shifts, without AWS and over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kit import clock
from chalicelib.kit.transaction import transaction
from chalicelib.shifts.models import Shift
from chalicelib.volunteers import rest
from chalicelib.volunteers.models import Volunteer
from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour
from tests.shifts import gate, organised
from tests.volunteers import crew, desk

DAYS = [date(2020, 2, 10), date(2020, 2, 28), date(2020, 12, 31), date(2021, 1, 31)]
HOUR = 3600


def span(day: date, begin: float, end: float) -> rest.Span:
    midnight = int(clock.at_local(day, time()).timestamp())
    return midnight + int(begin * HOUR), midnight + int(end * HOUR)


def may(others: Sequence[rest.Span], wanted: rest.Span, hours: int = 10, after: int = 8) -> bool:
    return rest.enough(others, wanted, hours_in_a_day=hours, after_a_night=after)


@pytest.mark.parametrize("day", DAYS)
class TestTheRule:
    def test_twenty_four_hours_in_a_row_are_refused_at_the_second_shift(self, day: date) -> None:
        assert may([], span(day, 0, 8))
        assert not may([span(day, 0, 8)], span(day, 8, 16))
        assert not may([span(day, 0, 8)], span(day, 16, 24))

    def test_ten_hours_in_a_day_are_enough_in_whatever_pieces(self, day: date) -> None:
        assert may([span(day, 8, 12)], span(day, 14, 20))
        assert not may([span(day, 8, 12)], span(day, 14, 20.5))
        assert not may([span(day, 6, 9), span(day, 10, 14)], span(day, 15, 18.5))

    def test_any_twenty_four_hours_count_not_the_calendar_day(self, day: date) -> None:
        assert not may([span(day, 16, 22)], span(day, 31, 36))
        assert may([span(day, 16, 22)], span(day, 40, 45))

    def test_the_order_in_which_one_signs_up_does_not_matter(self, day: date) -> None:
        assert not may([span(day, 8, 12)], span(day, 0, 4))
        assert not may([span(day, 0, 4)], span(day, 8, 12))

    def test_after_a_night_eight_hours_are_free(self, day: date) -> None:
        assert not may([span(day, 22, 26)], span(day, 33, 36))
        assert may([span(day, 22, 26)], span(day, 34, 37))
        assert may([span(day, 19, 23.5)], span(day, 31, 34)), "over before midnight, so no night"

    def test_what_is_over_before_midnight_or_begins_at_five_is_no_night(self, day: date) -> None:
        assert may([span(day, 20, 24)], span(day, 29, 33))
        assert may([span(day, 5, 9)], span(day, 10, 14))
        assert not may([span(day, 4.5, 8)], span(day, 10, 14))

    def test_the_free_hours_are_named(self, day: date) -> None:
        others, wanted = [span(day, 0, 8)], span(day, 8, 16)
        free = rest.free_from(others, wanted, hours_in_a_day=10, after_a_night=8)
        assert free == span(day, 22, 30)[0], "of the 24 hours from then on eight are on this shift, two on the other"

    def test_there_are_none_for_a_shift_longer_than_anybody_may_serve(self, day: date) -> None:
        assert not may([], span(day, 6, 17))
        assert rest.free_from([], span(day, 6, 17), hours_in_a_day=10, after_a_night=8) is None


SPANS = st.lists(st.tuples(st.integers(0, 90), st.integers(1, 8)), max_size=4)


@given(SPANS, st.integers(0, 90), st.integers(1, 12))
def test_the_busiest_hours_are_found_as_by_looking_at_every_half_hour(
    given_spans: list[tuple[int, int]], begin: int, lasts: int
) -> None:
    day = DAYS[0]
    others = [span(day, first, first + hours) for first, hours in given_spans]
    wanted = span(day, begin, begin + lasts)
    # Nobody has more than enough already: then every window is as it was found before this one came.
    signed_up: list[rest.Span] = []
    for each in others:
        if may(signed_up, each, after=0):
            signed_up.append(each)
    others = signed_up
    windows = range(wanted[0] - 24 * HOUR + 1800, wanted[1], 1800)
    busiest = max(
        sum(max(0, min(last, at + 24 * HOUR) - max(first, at)) for first, last in [*others, wanted]) for at in windows
    )
    assert may(others, wanted, after=0) == (busiest <= 10 * HOUR)


# ------------------------------------------------------------------------------------------------------- over HTTP


def at(days: int, hour: int) -> datetime:
    return clock.at_local(clock.day(clock.now()) + timedelta(days=days), time(hour % 24)) + timedelta(days=hour // 24)


def shift(hood: Hood, begin: int, end: int, days: int = 3, **terms: object) -> str:
    """On that day, by Shanghai's clock."""
    made = gate.shift(hood, **terms)
    with transaction() as tx:
        times = [Shift.start_at.set(at(days, begin)), Shift.end_at.set(at(days, end))]
        tx.update(gate.stored(made), times)
    return made


@pytest.fixture
def day_of_three(hood: Hood) -> list[str]:
    return [shift(hood, 0, 8), shift(hood, 8, 16), shift(hood, 16, 24)]


def test_who_has_a_night_shift_is_told_from_when_on_they_are_free(hood: Hood, day_of_three: list[str]) -> None:
    chen = gate.volunteer(hood)
    gate.signed_up(chen, day_of_three[0])
    for other in day_of_three[1:]:
        answer = gate.sign_up(chen, other)
        assert (answer.status, answer.code) == (409, "needs_rest")
        assert "最多服务 10 小时" in answer.json["detail"]
    assert clock.spoken(at(3, 22)) in gate.sign_up(chen, day_of_three[1]).json["detail"]
    assert list(gate.file_of(chen).taken) == [day_of_three[0]]


def test_of_two_phones_at_the_same_moment_one_is_refused(hood: Hood, day_of_three: list[str]) -> None:
    for _ in range(5):
        chen = gate.volunteer(hood)
        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(lambda each, chen=chen: gate.sign_up(chen, each), day_of_three))
        assert sorted(answer.status for answer in answers) == [201, 409, 409]
        assert len(gate.file_of(chen).taken) == 1


def test_waiting_for_a_shift_is_no_rest(hood: Hood) -> None:
    full = shift(hood, 0, 8, capacity=1)
    gate.signed_up(gate.volunteer(hood), full)
    chen = gate.volunteer(hood)
    gate.signed_up(chen, full, wait=True)
    assert gate.sign_up(chen, shift(hood, 8, 12)).code == "needs_rest"


def test_what_was_served_yesterday_counts_today(hood: Hood) -> None:
    chen, now = gate.volunteer(hood), clock.now()
    over = gate.shift(hood)
    with transaction() as tx:
        taken = {over: [int((now - timedelta(hours=12)).timestamp()), int((now - timedelta(hours=3)).timestamp())]}
        tx.update(Volunteer.key(chen.id), [Volunteer.taken.set(taken)])
    assert gate.sign_up(chen, gate.shift(hood, starts=timedelta(hours=2))).code == "needs_rest"


def test_who_comes_in_a_role_needs_rest_as_well(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    first, second = (shift(hood, *hours, quorum={"grid_worker": 1}) for hours in ((0, 8), (8, 16)))
    gate.signed_up(worker, first, role="grid_worker")
    assert gate.sign_up(worker, second, role="grid_worker").code == "needs_rest"


def test_so_does_each_member_of_a_team(hood: Hood, day_of_three: list[str]) -> None:
    leader, tired = gate.volunteer(hood, "队长"), gate.volunteer(hood, "累的人")
    team = crew.team(leader, [tired])
    gate.signed_up(tired, day_of_three[0])
    answer = leader.post(f"/shifts/{day_of_three[1]}/team-sign-up", json={"team": team})
    assert (answer.status, answer.code) == (409, "team_member_needs_rest"), answer
    assert tired.get("/me").json["nickname"] in answer.json["detail"]
    assert gate.file_of(leader).taken == {}


def test_the_limits_are_settings(hood: Hood, day_of_three: list[str], configure: Callable[..., None]) -> None:
    configure("volunteers", hours_in_a_day=16, rest_after_a_night=0)
    chen = gate.volunteer(hood)
    gate.signed_up(chen, day_of_three[0])
    gate.signed_up(chen, day_of_three[1])
    assert gate.sign_up(chen, day_of_three[2]).code == "needs_rest"


class TestTheOrganiser:
    @pytest.fixture
    def organiser(self, hood: Hood) -> Neighbour:
        return hood.staff("community_worker")

    @pytest.fixture
    def chen(self, hood: Hood) -> Neighbour:
        chen = desk.approved(desk.applicant(hood), by=hood.staff("grid_worker"))
        gate.signed_up(chen, shift(hood, 0, 8))
        return chen

    @staticmethod
    def add(organiser: Neighbour, chen: Neighbour, to: str, **more: str) -> Answer:
        number = chen.get("/me/volunteer").json["number"]
        return organiser.post(f"/shifts/{to}/people", json={"volunteer_number": number, **more})

    def test_may_go_over_it_with_a_reason_that_the_volunteer_reads(
        self, hood: Hood, organiser: Neighbour, chen: Neighbour
    ) -> None:
        tired = shift(hood, 8, 12, organiser=organiser)
        answer = self.add(organiser, chen, tired)
        assert (answer.status, answer.code) == (409, "needs_rest")
        assert "写明原因" in answer.json["detail"]
        assert self.add(organiser, chen, tired, rest_reason="接班的人生病了").status == 201
        assert tired in gate.file_of(chen).taken
        told = chen.get("/inbox").json["items"][0]["text"]
        (mine,) = [each for each in chen.get("/shifts/mine").json["items"] if each["shift"] == tired]
        assert "接班的人生病了" in told
        assert mine["rest_reason"] == "接班的人生病了"

    def test_not_with_an_empty_one_nor_with_one_that_nobody_should_read(
        self, hood: Hood, organiser: Neighbour, chen: Neighbour
    ) -> None:
        tired = shift(hood, 8, 12, organiser=organiser)
        for reason, code in (("   ", "invalid"), ("找我 13857300011", "contact_in_text")):
            assert self.add(organiser, chen, tired, rest_reason=reason).code == code
        assert tired not in gate.file_of(chen).taken

    def test_a_reason_opens_nothing_else(self, hood: Hood, organiser: Neighbour, chen: Neighbour) -> None:
        overlapping = shift(hood, 6, 10, organiser=organiser)
        assert self.add(organiser, chen, overlapping, rest_reason="接班的人生病了").code == "shifts_overlap"


def test_who_has_too_little_rest_after_a_shift_was_moved_is_told_and_keeps_the_place(hood: Hood) -> None:
    worker, chen = hood.staff("community_worker"), gate.volunteer(hood)
    activity = organised.published(worker, shifts=[organised.single(days=3, first=18, last=20)])
    moved = activity["shifts"][0]["id"]
    gate.signed_up(chen, shift(hood, 0, 8))
    gate.signed_up(chen, moved)
    times = {"start": at(3, 9).isoformat(), "end": at(3, 11).isoformat()}
    assert worker.post(f"/shifts/{moved}/change", json={"version": 0, **times}).status == 200
    organised.walk(moved)
    assert gate.state_of(chen, moved) == "signed_up"
    assert "休息时间可能不够" in chen.get("/inbox").json["items"][0]["text"]
