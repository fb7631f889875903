"""Whatever fails, the client repeats its request with the same Idempotency-Key and it has been done exactly once.

Each act is done with every AWS call failing in every way: so that botocore's or the kit's own repeat heals it, and so
that the act itself fails. Then the client does what a client does: asks again.

- Healed: each call is struck at its first attempts, then left alone, and the act does not even notice.
- Failed: for each call and each kind, all attempts of that call are struck, and the act fails.

A call fails in up to six ways, and as long as the struck call never reaches AWS the table is as the calls before it have
left it, whichever way it was. So these ways strike one and the same world, one after the other, as they would a client
who asks again and again; then it asks once more, all goes well, and the facts are compared. Where calls before the
struck one have only read, the world is as it was prepared, and the next call's failures strike it too. Should an act
take another way through its calls the second time, every way to fail gets a world of its own.

The kit tells the ways apart, and is tried with all of them. Above it they differ in what they leave: a call that never
reached AWS, or one that did and whose answer was lost. So a slice's act is tried with one of the former, another for each
call, and with the latter; `make prove` tries it with all of them.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib.kit.errors import Problem, TooMany, Unavailable
from tests.engine.budget import budget, warm
from tests.engine.http import Answer
from tests.faults.acts import Act
from tests.faults.faults import FOR_EVER, KINDS, Fault, Kind, fault, faults_that_heal, possible
from tests.faults.reached import reaching, with_its_settings

ALL_WAYS = "PROVE" in os.environ
READS = ("dynamodb Get", "dynamodb BatchGet", "dynamodb Query")
# These change nothing either, but their failures differ more than those of a read.
_CHANGE_NOTHING = (*READS, "kms ", "s3 Get", "s3 Head", "s3 List", "ssm Get")


def every_call_fails(acts: Sequence[Act], *, every_way: bool = ALL_WAYS) -> Callable[..., None]:
    """The test of a slice's acts."""

    @pytest.mark.parametrize("act", acts, ids=str)
    def test(act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
        # Preparing and repeating are no part of what is tried, and need not ask for settings at every turn.
        monkeypatch.setenv("SETTINGS_TTL_SECONDS", "3600")
        fail_every_call(act, every_way=every_way)

    return test


def fail_every_call(act: Act, *, every_way: bool = ALL_WAYS) -> None:
    calls, wanted = faultless(act)
    heal_every_call(act, calls, wanted, every_way=every_way)
    fail_in_every_way(act, calls, wanted, every_way=every_way)


HEALED = (("throttled", "cut_before"), ("answer_lost", "error_500"))


def heal_every_call(act: Act, calls: list[str], wanted: Any, *, every_way: bool) -> None:
    """botocore sends a request three times, so two kinds fit into one run."""
    for kinds in HEALED if every_way else HEALED[1:]:
        heal(act, kinds, wanted)
    if every_way and "dynamodb TransactWriteItems" in calls:
        heal(act, ("conflict", "in_progress"), wanted, by_the_kit=True)


class TookAnotherWay(Exception):
    """In a world where it has failed before, an act makes other calls than in a fresh one."""


def fail_in_every_way(act: Act, calls: list[str], wanted: Any, *, every_way: bool) -> None:
    world: Any = None
    for number, name in enumerate(calls[: act.until], start=1):
        ways = ways_to_fail(name) if every_way else some_ways_to_fail(name, number)
        if number > act.one_way_after:
            # A read that fails leaves what the write after it leaves when it never reaches AWS.
            ways = [] if only_read([name]) else [ways[number % len(ways)]]
        try:
            world = _fail_one_call(act, world, number, ways, calls, wanted)
        except TookAnotherWay:
            for kind in ways_apart(name):
                _fail_one_call(act, None, number, [kind], calls, wanted, keep=False)
            world = None
    if world is not None:
        repeat(act, world, wanted, f"{calls}, all that never reached AWS")


def _fail_one_call(
    act: Act, world: Any, number: int, kinds: list[Kind], calls: list[str], wanted: Any, *, keep: bool = True
) -> Any:
    """Returns the world if nothing has been written to it, and it may be kept for the next call; else None."""
    for kind in kinds:
        used = world is not None
        world = world if used else act.prepare()
        it = fail(act, world, number, kind)
        if it.calls[:number] != calls[:number]:
            assert used, f"{act} made the calls {it.calls} this time"
            repeat(act, world, wanted, f"call {number} of {calls}, all before {kind}")
            raise TookAnotherWay
        after = [name for later, name in enumerate(it.calls, start=1) if later > number and later not in it.hit]
        if kind == "answer_lost" or not only_read(after):
            repeat(act, world, wanted, f"call {number} of {it.calls}, {kind}")
            world = None
    if world is not None and not (keep and only_read(calls[: number - 1])):
        repeat(act, world, wanted, f"call {number} of {calls}, {' and '.join(kinds)}")
        world = None
    return world


def ways_apart(call: str) -> list[Kind]:
    """Where each way needs a world of its own, without those that end as another does: all of botocore's repeats are
    used up by errors, or all of the kit's. (`kit_acts` and the tests of the kit tell them apart.)"""
    return [kind for kind in ways_to_fail(call) if kind not in ("error_500", "in_progress")]


def ways_to_fail(call: str) -> list[Kind]:
    """A read changes nothing: it fails with an answer or without. A lost answer comes last: what it was about is done."""
    if call.startswith(READS):
        return ["throttled", "cut_before"]
    return [kind for kind in KINDS if kind != "answer_lost" and possible(kind, call)] + ["answer_lost"]


def some_ways_to_fail(call: str, number: int) -> list[Kind]:
    """One by which the call never reaches AWS, another for each call, and the one by which it does."""
    *never, last = ways_to_fail(call)
    return [[*never, last][number % 2]] if call.startswith(READS) else [never[number % len(never)], last]


@functools.cache
def faultless(act: Act) -> tuple[list[str], Any]:
    """The calls of the act, and the facts it leaves, which a repeat must not change."""
    world = act.prepare()
    with reaching() as reached, budget() as spent, with_its_settings(act.tries):
        went_well(act.do(world, "key"))
    assert spent.calls, f"{act} calls AWS not even once"
    assert reached == ({act.tries} if act.tries else set()), (
        f"{act} reaches {reached}, and says that it tries {act.tries!r}"
    )
    facts = act.facts(world)
    went_well(act.do(world, "key"))
    assert act.facts(world) == facts, f"{act}: even without faults the repeat does it again"
    return spent.calls, facts


def heal(act: Act, kinds: tuple[Kind, ...], wanted: Any, *, by_the_kit: bool = False) -> None:
    world = act.prepare()
    with warm(), faults_that_heal(*kinds, by_the_kit=by_the_kit) as it:
        went_well(act.do(world, "key"))
    assert it.struck, f"{act} made only the calls {it.calls} this time"
    repeat(act, world, wanted, f"{it.calls}, {kinds} at first")


def fail(act: Act, world: Any, call: int, kind: Kind) -> Fault:
    with warm(), fault(call=call, kind=kind, attempts=FOR_EVER) as it:
        judged(act, world, f"call {call} {kind}")
    return it


def judged(act: Act, world: Any, what: str) -> None:
    try:
        answer = act.do(world, "key")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is judged
        assert is_trouble(error), f"{act}, {what}: a failure looks like {error!r}"  # noqa: PT017
    else:
        assert not isinstance(answer, Answer) or answer.status < 300 or answer.status in (429, 503), (
            f"{act}, {what}: a failure looks like {answer}"
        )


def repeat(act: Act, world: Any, wanted: Any, what: str) -> None:
    went_well(act.do(world, "key"))
    assert act.facts(world) == wanted, f"{act}, {what}"


def only_read(calls: list[str]) -> bool:
    return all(name.startswith(_CHANGE_NOTHING) for name in calls)


def is_trouble(error: Exception) -> bool:
    """What `kit.http` answers with 503 or 429. A refusal would tell the client something false about its request."""
    if isinstance(error, Problem):
        return isinstance(error, (Unavailable, TooMany))
    return isinstance(error, (PynamoDBException, BotoCoreError, ClientError))


def went_well(answer: Any) -> None:
    assert not isinstance(answer, Answer) or answer.status < 300, answer
