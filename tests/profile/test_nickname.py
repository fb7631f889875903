"""Taking another nickname, over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.content.models import Review
from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people import personal_data
from chalicelib.people import service as people
from chalicelib.people.models import Duty
from chalicelib.profile import service
from chalicelib.profile.models import ProfileDraft
from tests.content.test_texts import CHECK, DOUBTFUL, RISKY
from tests.engine.budget import budget
from tests.engine.http import Answer
from tests.engine.meanwhile import meanwhile
from tests.neighbourhood import Hood, Neighbour


def call_me(somebody: Neighbour, name: object) -> Answer:
    return somebody.put("/me/nickname", json={"nickname": name})


def known_as(somebody: Neighbour) -> str:
    return somebody.get("/me/profile").json["nickname"]


def waiting(somebody: Neighbour) -> Review:
    review_id = ProfileDraft.of(somebody.id).nickname_review
    return Review.fetch(f"REVIEW#{review_id}", "REVIEW")


def decide(moderator: Neighbour, review: Review, decision: str) -> Answer:
    return moderator.post(f"/reviews/{review.id}/decide", json={"decision": decision, "reason": "不合适"})


def test_a_decent_nickname_is_taken_at_once(hood: Hood):
    li_ju = hood.resident()
    answer = call_me(li_ju, " 李菊 ")
    assert (answer.status, answer.json["nickname"], answer.json["waiting_nickname"]) == (200, "李菊", None)
    assert known_as(li_ju) == "李菊"


def test_a_risky_nickname_is_refused_and_the_old_one_stays(hood: Hood):
    li_ju = hood.resident()
    before = known_as(li_ju)
    answer = call_me(li_ju, RISKY[:20])
    assert answer.code == "content_refused"
    assert known_as(li_ju) == before


def test_a_doubtful_nickname_waits_for_a_moderator(hood: Hood):
    li_ju, moderator = hood.resident(), hood.staff("moderator")
    before = known_as(li_ju)
    answer = call_me(li_ju, DOUBTFUL)
    assert (answer.json["nickname"], answer.json["waiting_nickname"]) == (before, DOUBTFUL)
    assert "content_in_review" in li_ju.told
    assert decide(moderator, waiting(li_ju), "approve").json["state"] == "approved"
    assert known_as(li_ju) == DOUBTFUL
    assert li_ju.get("/me/profile").json["waiting_nickname"] is None
    assert li_ju.told[-1] == "content_approved"


def test_a_moderators_refusal_keeps_the_old_nickname(hood: Hood):
    li_ju, moderator = hood.resident(), hood.staff("moderator")
    before = known_as(li_ju)
    call_me(li_ju, DOUBTFUL)
    decide(moderator, waiting(li_ju), "refuse")
    assert known_as(li_ju) == before
    assert li_ju.get("/me/profile").json["waiting_nickname"] is None
    assert li_ju.told[-1] == "content_refused"


def test_while_wechat_is_down_the_old_nickname_stays_until_it_answers(hood: Hood):
    li_ju = hood.resident()
    before = known_as(li_ju)
    hood.wechat.break_("down", CHECK)
    assert call_me(li_ju, "李菊").json["waiting_nickname"] == "李菊"
    hood.wechat.mend()
    assert known_as(li_ju) == before
    review = waiting(li_ju)
    hood.pass_time(review, review.due_at)
    assert known_as(li_ju) == "李菊"


def test_a_new_wish_replaces_the_one_that_waits(hood: Hood):
    li_ju = hood.resident()
    call_me(li_ju, DOUBTFUL)
    first = waiting(li_ju)
    call_me(li_ju, DOUBTFUL + "二")
    second = waiting(li_ju)
    assert Review.fetch(first.pk, first.sk).state == "moot"
    assert second.state == "with_moderator"
    call_me(li_ju, "李菊")
    assert Review.fetch(second.pk, second.sk).state == "moot"
    profile = li_ju.get("/me/profile").json
    assert (profile["nickname"], profile["waiting_nickname"]) == ("李菊", None)


@pytest.mark.parametrize("wish", ["李菊", DOUBTFUL + "二"], ids=["shown", "waits"])
def test_a_verdict_on_the_last_wish_in_the_moment_of_the_next_does_not_stop_it(hood: Hood, wish: str):
    li_ju, moderator = hood.resident(), hood.staff("moderator")
    call_me(li_ju, DOUBTFUL)
    first = waiting(li_ju)
    with meanwhile(f"REVIEW#{first.id}", lambda: decide(moderator, first, "approve")):
        answer = call_me(li_ju, wish)
    assert answer.status == 200, answer
    assert Review.fetch(first.pk, first.sk).state == "approved"
    assert known_as(li_ju) == ("李菊" if wish == "李菊" else DOUBTFUL)
    assert answer.json["waiting_nickname"] == (None if wish == "李菊" else wish)


def test_wishes_at_once_leave_one_that_can_be_decided(hood: Hood):
    li_ju, moderator = hood.resident(), hood.staff("moderator")
    with ThreadPoolExecutor(4) as several:
        answers = list(several.map(lambda n: call_me(li_ju, f"{DOUBTFUL}{n}").status, range(4)))
    assert set(answers) <= {200, 409, 429}
    wish, review = ProfileDraft.of(li_ju.id).nickname, waiting(li_ju)
    listed = [each for each in Item.by_person.query(f"REVIEWS#{li_ju.id}") if each.id != review.id]
    for other in listed:
        assert decide(moderator, other, "approve").json["state"] == "moot"
    assert decide(moderator, review, "approve").json["state"] == "approved"
    assert known_as(li_ju) == wish


def test_an_official_name_is_for_those_who_hold_the_duty(hood: Hood):
    assert call_me(hood.resident(), "网格员小王").code == "nickname_looks_official"
    assert call_me(hood.staff("grid_worker", hood.grid), "网格员小王").json["nickname"] == "网格员小王"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "必须填写"),
        ({"nickname": ""}, "不能为空"),
        ({"nickname": "   "}, "不能为空"),
        ({"nickname": 5}, "应为文字"),
        ({"nickname": None}, "应为文字"),
        ({"nickname": "王" * 21}, "最多 20 个字"),
        ({"nickname": "王" * 101}, "最多 100 个字"),
        ({"nickname": "李\u0000菊"}, "含有无法显示的字符"),
        ({"nickname": "李\u200b菊"}, "含有看不见的字符"),
    ],
    ids=range(9),
)
def test_what_is_no_nickname_is_sent_back(hood: Hood, body: dict, reason: str):
    answer = hood.resident().put("/me/nickname", json=body)
    assert (answer.status, answer.wrong) == (422, {"nickname": reason})


def test_half_a_character_is_sent_back(hood: Hood):
    answer = hood.resident().put("/me/nickname", body='{"nickname": "\\ud83d"}')
    assert answer.status == 422


def test_a_nickname_changes_at_most_ten_times_a_day(hood: Hood):
    li_ju = hood.resident()
    for n in range(10):
        assert call_me(li_ju, f"李菊{n}").status == 200
    assert call_me(li_ju, "李菊").status == 429
    assert known_as(li_ju) == "李菊9"


def test_nobody_changes_a_name_for_somebody_else(hood: Hood):
    li_ju, other = hood.resident(), hood.resident()
    assert li_ju.put("/me/nickname", json={"nickname": "我"}, acting_for=other.id).code == "own_affair_only"
    assert hood.http.put("/me/nickname", json={"nickname": "我"}).code == "login_needed"


def test_a_nickname_costs_three_calls(hood: Hood):
    li_ju = hood.resident()
    call_me(li_ju, "李菊")
    with budget() as spent:
        call_me(li_ju, "菊")
    assert spent.calls == ["dynamodb Query", "dynamodb GetItem", "dynamodb TransactWriteItems"]
    with budget() as spent:
        li_ju.get("/me/profile")
    assert spent.calls == ["dynamodb BatchGetItem"]


def test_a_waiting_nickname_is_in_the_copy_of_my_data_and_goes_with_me(hood: Hood):
    li_ju = hood.resident()
    call_me(li_ju, DOUBTFUL)
    assert list(personal_data.sections["等待审核的昵称"](li_ju.id)) == [{"昵称": DOUBTFUL}]
    for _ in range(2):
        personal_data.erase(li_ju.id, now=clock.now())
    assert ProfileDraft.of(li_ju.id).nickname is None


class TestTheDutyIsOver:
    """What one may be called by one's office, one is called no longer than one holds it."""

    NAME = "网格员小王"

    def over(self, hood: Hood, who: Neighbour, *, by_itself: bool = False) -> None:
        key = Duty.key(who.id, "grid_worker", hood.grid)
        if by_itself:
            until = clock.now() + timedelta(hours=1)
            duty = Duty.new(who.id, "grid_worker", hood.grid, from_at=clock.now(), until_at=until, granted_by="test")
            with transaction() as tx:
                people.grant_duty(tx, duty)
            hood.pass_time(key, until - timedelta(seconds=1))
            assert known_as(who) == self.NAME
            hood.pass_time(key, until)
        else:
            hood.end_duty(who, "grid_worker", hood.grid)
            hood.pass_time(key, clock.now())

    @pytest.mark.parametrize("by_itself", [False, True])
    def test_the_name_of_the_office_goes_and_they_are_told(self, hood: Hood, by_itself: bool):
        worker = hood.staff("grid_worker", hood.grid)
        call_me(worker, self.NAME)
        self.over(hood, worker, by_itself=by_itself)
        assert known_as(worker) == f"邻居{worker.id[-4:].upper()}"
        assert worker.told == ["nickname_of_office"]
        if not by_itself:  # else its hour has not come yet on the clock of whoever asks
            assert call_me(worker, self.NAME).code == "nickname_looks_official"
        stored = Duty.fetch(*keys(Duty.key(worker.id, "grid_worker", hood.grid)))
        assert (stored.timer, stored.due_key) == (None, None)

    def test_any_other_name_stays(self, hood: Hood):
        worker = hood.staff("grid_worker", hood.grid)
        call_me(worker, "菊子")
        self.over(hood, worker)
        assert (known_as(worker), worker.told) == ("菊子", [])

    def test_so_does_one_that_another_duty_of_theirs_gives(self, hood: Hood):
        worker = hood.staff("grid_worker", hood.grid)
        other = Duty.new(
            worker.id, "grid_worker", hood.community, from_at=clock.now(), until_at=None, granted_by="test"
        )
        with transaction() as tx:
            people.grant_duty(tx, other)
        call_me(worker, self.NAME)
        self.over(hood, worker)
        assert (known_as(worker), worker.told) == (self.NAME, [])

    def test_one_given_again_keeps_it(self, hood: Hood):
        worker = hood.staff("grid_worker", hood.grid)
        call_me(worker, self.NAME)
        hood.end_duty(worker, "grid_worker", hood.grid)
        again = Duty.new(worker.id, "grid_worker", hood.grid, from_at=clock.now(), until_at=None, granted_by="test")
        with transaction() as tx:
            people.grant_duty(tx, again)
        hood.pass_time(again, clock.now() + timedelta(days=1))
        assert known_as(worker) == self.NAME

    def test_a_name_in_review_is_not_taken_afterwards(self, hood: Hood):
        worker, moderator = hood.staff("grid_worker", hood.grid), hood.staff("moderator")
        call_me(worker, f"网格员{DOUBTFUL}")
        review = waiting(worker)
        hood.end_duty(worker, "grid_worker", hood.grid)
        assert decide(moderator, review, "approve").json["state"] == "moot"
        assert "网格员" not in known_as(worker)
        hood.pass_time(Duty.key(worker.id, "grid_worker", hood.grid), clock.now())
        assert worker.get("/me/profile").json["waiting_nickname"] is None

    def test_it_is_not_taken_in_the_moment_the_duty_ends(self, hood: Hood, monkeypatch: pytest.MonkeyPatch):
        worker = hood.staff("grid_worker", hood.grid)
        screen = service.content.screen

        def ended_meanwhile(*args: Any, **more: Any) -> Any:
            hood.end_duty(worker, "grid_worker", hood.grid)
            return screen(*args, **more)

        monkeypatch.setattr(service.content, "screen", ended_meanwhile)
        assert call_me(worker, self.NAME).code == "duty_needed"
        assert "网格员" not in known_as(worker)


def keys(item: Item) -> tuple[str, str]:
    return item.pk, item.sk
