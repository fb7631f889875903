"""Whatever fails, the client repeats its request with the same Idempotency-Key and it has been done exactly once.

Each act is done once for every AWS call it makes and every way that call can fail: once so that botocore's own
repeat heals it, and once so that the act itself fails. Then the client does what a client does: asks again.
"""

from __future__ import annotations

import functools
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib.kit.errors import Problem, TooMany, Unavailable
from tests.engine.budget import budget, warm
from tests.engine.http import Answer
from tests.faults import help_acts, kit_acts, mall_acts, points_acts, posts_acts, quiz_acts
from tests.faults.acts import Act
from tests.faults.faults import FOR_EVER, KINDS, Kind, fault, possible

ACTS: list[Act] = [
    *kit_acts.ACTS,
    *help_acts.ACTS,
    *mall_acts.ACTS,
    *points_acts.ACTS,
    *posts_acts.ACTS,
    *quiz_acts.ACTS,
]
READS = ("dynamodb Get", "dynamodb BatchGet", "dynamodb Query")


@pytest.fixture(autouse=True)
def _settings_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Preparing and repeating are no part of what is tried, and need not ask for settings at every turn."""
    monkeypatch.setenv("SETTINGS_TTL_SECONDS", "3600")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("act", ACTS, ids=str)
def test_the_repeat_of_a_failed_act_ends_as_if_nothing_had_failed(act: Act, kind: Kind) -> None:
    calls, wanted = faultless(act)
    for number, name in enumerate(calls, start=1):
        for attempts in attempts_worth_trying(kind, name):
            fail_then_repeat(act, number, kind, attempts, wanted)


def attempts_worth_trying(kind: Kind, call: str) -> list[int]:
    """A read changes nothing: it fails with an answer or without, and one that botocore repeats has not failed."""
    if call.startswith(READS):
        return [FOR_EVER] if kind in ("throttled", "cut_before") else []
    return [1, FOR_EVER] if possible(kind, call) else []


@functools.cache
def faultless(act: Act) -> tuple[list[str], Any]:
    """The calls of the act, and the facts it leaves, which a repeat must not change."""
    world = act.prepare()
    with budget() as spent:
        went_well(act.do(world, "key"))
    assert spent.calls, f"{act} calls AWS not even once"
    facts = act.facts(world)
    went_well(act.do(world, "key"))
    assert act.facts(world) == facts, f"{act}: even without faults the repeat does it again"
    return spent.calls, facts


def fail_then_repeat(act: Act, call: int, kind: Kind, attempts: int, wanted: Any) -> None:
    world = act.prepare()
    with warm(), fault(call=call, kind=kind, attempts=attempts) as it:
        try:
            answer = act.do(world, "key")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is judged
            assert is_trouble(error), f"{act}, call {call} {kind}: a failure looks like {error!r}"  # noqa: PT017
        else:
            assert not isinstance(answer, Answer) or answer.status < 300 or answer.status in (429, 503), (
                f"{act}, call {call} {kind}: a failure looks like {answer}"
            )
    assert it.struck, f"{act} made only the calls {it.calls} this time"
    went_well(act.do(world, "key"))
    assert act.facts(world) == wanted, f"{act}, call {call} of {it.calls}, {kind}"


def is_trouble(error: Exception) -> bool:
    """What `kit.http` answers with 503 or 429. A refusal would tell the client something false about its request."""
    if isinstance(error, Problem):
        return isinstance(error, (Unavailable, TooMany))
    return isinstance(error, (PynamoDBException, BotoCoreError, ClientError))


def went_well(answer: Any) -> None:
    assert not isinstance(answer, Answer) or answer.status < 300, answer


class TestTheHarnessItself:
    def test_an_act_that_forgets_its_key_is_caught(self):
        def take_again(world, key):
            return kit_acts.take(world, kit_acts.ids.new_id("key"))

        with pytest.raises(AssertionError, match="even without faults"):
            faultless(Act("forgetful", kit_acts.stocked, take_again, kit_acts.what_is_left))

    def test_an_act_whose_two_writes_are_not_one_is_caught(self):
        def half(world, key):
            this = kit_acts.attempt(world, key)
            there = kit_acts.Shelf.fetch(world["shelf"].pk, "SHELF")
            if not this.made(there):
                there.update([kit_acts.Shelf.left.add(-1)])
                there.update(this.remember())

        act = Act("half", kit_acts.stocked, half, kit_acts.what_is_left)
        with pytest.raises(AssertionError, match="call 3"):
            fail_then_repeat(act, 3, "cut_before", FOR_EVER, faultless(act)[1])

    def test_an_act_that_takes_a_fault_for_a_refusal_is_caught(self):
        def hasty(world, key):
            try:
                return kit_acts.take(world, key)
            except PynamoDBException as error:
                raise kit_acts.Named("sold_out") from error

        act = Act("hasty", kit_acts.stocked, hasty, kit_acts.what_is_left)
        with pytest.raises(AssertionError, match="looks like"):
            fail_then_repeat(act, 2, "throttled", FOR_EVER, faultless(act)[1])

    @pytest.mark.parametrize("kind", KINDS)
    def test_every_kind_of_fault_strikes_what_it_can(self, kind):
        world = kit_acts.stocked()
        with warm(), fault(call=2, kind=kind, attempts=1) as it:
            kit_acts.take(world, "key")
        assert it.calls[:2] == ["dynamodb GetItem", "dynamodb TransactWriteItems"]
        assert it.struck == 1
