"""What is told to very many, piece by piece: who can be reached, and each of them once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.kit import clock
from chalicelib.notices import push, service
from chalicelib.notices.models import Credit, Notice
from chalicelib.people.models import Resident
from tests.notices.conftest import ALL_CHANNELS, LONG_TERM, ONE_TIME

BEGAN = datetime(2026, 11, 22, 4, tzinfo=UTC)
FACTS = {"title": "周六停水", "place": "桂苑社区"}


def tell(to: str, *, about: str = "post_1.330402", at: datetime = BEGAN, now: datetime | None = None) -> bool:
    return service.tell_once(to, "post_urgent", about=about, at=at, now=now or clock.now(), facts=FACTS)


class TestOnce:
    def test_the_same_word_again_is_not_told_again(self, neighbour: Callable[..., Any]):
        li_ju = neighbour()
        assert [tell(li_ju.id), tell(li_ju.id, now=clock.now() + timedelta(hours=1))] == [True, False]
        assert li_ju.notice.at == BEGAN

    def test_a_push_that_is_over_is_not_begun_anew(self, neighbour):
        li_ju = neighbour()
        tell(li_ju.id)
        li_ju.notice.update([Notice.push_state.set("sent"), Notice.read_at.set(clock.now())])
        assert tell(li_ju.id) is False
        assert (li_ju.notice.push_state, li_ju.notice.read_at is not None) == ("sent", True)

    def test_about_something_else_or_to_somebody_else_it_is_another(self, neighbour):
        li_ju, chen = neighbour(), neighbour()
        assert all([tell(li_ju.id), tell(li_ju.id, about="post_2.330402"), tell(chen.id)])
        assert tell(li_ju.id, at=BEGAN + timedelta(seconds=1))
        assert (len(li_ju.notices), len(chen.notices)) == (3, 1)

    def test_told_late_its_timer_counts_from_then(self, neighbour):
        li_ju, now = neighbour(), clock.now()
        tell(li_ju.id, at=now - timedelta(hours=3), now=now)
        assert li_ju.notice.due_at > now

    def test_it_is_found_in_the_inbox_by_its_id(self, neighbour):
        li_ju = neighbour()
        tell(li_ju.id)
        service.read(caller=li_ju.caller, notice_id=li_ju.notice.id, now=clock.now())
        assert li_ju.notice.read_at is not None


class TestReachable:
    def reached(self, *people: Any) -> set[str]:
        return {resident.id for resident in push.reachable("help_offered", [each.id for each in people])}

    def test_whoever_has_a_credit_or_a_standing_permission(self, neighbour, set_up):
        set_up(templates=ALL_CHANNELS)
        one_time, standing, used_up, nobody = (neighbour() for _ in range(4))
        one_time.accept(ONE_TIME)
        standing.accept(LONG_TERM)
        used_up.accept(ONE_TIME)
        Credit.key(used_up.id, ONE_TIME).update([Credit.used.set(1)])
        assert self.reached(one_time, standing, used_up, nobody) == {one_time.id, standing.id}

    def test_not_who_has_left_or_taken_the_consent_back(self, neighbour):
        left, withdrawn = neighbour(), neighbour()
        for each in (left, withdrawn):
            each.accept(ONE_TIME)
        Resident.key(left.id).update([Resident.state.set("closed")])
        Resident.key(withdrawn.id).update([Resident.consent_version.set("")])
        assert self.reached(left, withdrawn) == set()

    def test_who_follows_the_service_account_needs_no_credit(self, neighbour, set_up):
        follower = neighbour()
        Resident.key(follower.id).update([Resident.service_openid_sealed.set(b"sealed")])
        assert self.reached(follower) == set()
        set_up(templates=ALL_CHANNELS)
        assert self.reached(follower) == {follower.id}

    def test_without_a_template_or_people_there_is_nobody_and_nothing_is_read(self, neighbour, set_up):
        li_ju = neighbour()
        li_ju.accept(ONE_TIME)
        assert self.reached() == set()
        set_up(templates={})
        assert self.reached(li_ju) == set()
