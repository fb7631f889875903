"""Many people sign up for one shift in the same moment, against the real code and the real engines.

    python -m bench.signup_rush [--people 2000] [--places 100] [--threads 64] [--engine ministack|dynoxide]

Everybody asks for a place, or else to wait for one; a fifth taps twice, and some answers are lost (see `bench.crowd`).
Afterwards the table is read back: exactly as many have a place as there are, all others wait in the order in which
their requests came in, nobody has two, and everybody was told what is so.

Times are ratios to a bare TransactWriteItems of the same items, bytes and conditions on another shift, sent by the same
threads in between; see `bench.stampede` for how that is done, and for what the two bare calls are.
"""

from __future__ import annotations

import argparse
import random
import secrets
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.stampede import each_engine, percentile
from tests.engine.divergences import ENGINES

if TYPE_CHECKING:
    from bench.crowd import Answer, Beside

_COMMUNITY = "330402001001"
_FOR_ONE_BARE = 4  # people


class Told(NamedTuple):
    """What somebody was told, and whether it was their first tap."""

    person: str
    answer: Answer
    first_tap: bool

    @property
    def said(self) -> str:
        return self.answer.result.state if self.answer.result else str(self.answer.refusal)


class Found(NamedTuple):
    """What the table says afterwards. `doubled` and `wrong` ought to be 0, and `in_order` true."""

    placed: int
    waiting: int
    doubled: int  # people with more than one sign-up or queue ticket
    wrong: int  # people told otherwise than it is, or whose time says otherwise; and counters that do not add up
    in_order: bool


class Rush:
    """One shift and everybody who wants to be on it."""

    def __init__(self, *, people: int, places: int, seed: int = 1) -> None:
        self.shift, self.places, self.seed = new_shift(places), places, seed
        chance = random.Random(f"{seed} {secrets.token_hex(8)}")
        self.people = [f"res_{chance.randrange(16**32):032x}" for _ in range(people)]
        settle(self.people)
        self.lost: Counter[str] = Counter()
        self.beside: list[Beside] = []

    def rush(self, *, threads: int, beside: Sequence[Any] = ()) -> list[Told]:
        """Everybody at once, each told something in the end; in between, what is to be measured `beside` it."""
        from bench import crowd

        chance = random.Random(self.seed)
        taps = [[(person, True)] for person in self.people]
        for each in taps:
            if chance.random() < crowd.TAPS_TWICE:
                each.append((each[0][0], False))
        sight = crowd.Sight(self.seed, crowd.LOSES_ITS_ANSWER)

        def do(job: Any) -> Told | Beside | None:
            if callable(job):
                did: Beside | None = job(sight)
                return did
            person, first = job
            return Told(person, crowd.ask(sight, lambda: sign_up(person, self.shift)), first)

        with crowd.watching(sight):
            done = crowd.at_once(threads, crowd.mixed(taps, beside, chance), do)
        self.lost, self.beside = sight.lost, [each for each in done if isinstance(each, crowd.Beside)]
        return [each for each in done if isinstance(each, Told)]

    def found(self, told: Sequence[Told]) -> Found:
        from chalicelib.kit.table import Item
        from chalicelib.shifts.models import Shift, SignUp, Waiting
        from chalicelib.volunteers.models import Volunteer

        key = Shift.key(self.shift)
        shift = Shift.fetch(key.pk, key.sk)
        sign_ups = {each.person: each for each in Item.collection(shift.pk, SignUp.PREFIX)}
        queue = [ticket.person for ticket in Item.collection(shift.pk, Waiting.PREFIX)]
        files = {each.resident_id: each for each in Volunteer.batch_get([_keys(each) for each in self.people])}
        said = {person: {one.said for one in told if one.person == person} for person in self.people}
        right = [
            person
            for person, mine in sign_ups.items()
            if said[person] == {mine.state}
            and list(files[person].taken) == [self.shift]
            and (person in queue) == (mine.state == "waiting")
        ]
        placed = sum(mine.state == "signed_up" for mine in sign_ups.values())
        counted = (int(shift.taken), int(shift.waiting)) == (placed, len(queue))
        arrived = [sign_ups[person].at for person in queue]
        return Found(
            placed=placed,
            waiting=len(queue),
            doubled=len(queue) - len(set(queue)) + len(sign_ups) - len(self.people),
            wrong=len(sign_ups) - len(right) + (not counted),
            in_order=arrived == sorted(arrived),
        )


def _keys(person: str) -> tuple[str, str]:
    from chalicelib.volunteers.models import Volunteer

    key = Volunteer.key(person)
    return key.pk, key.sk


def new_shift(places: int) -> str:
    """A published gate shift the day after tomorrow. Returns its id."""
    from chalicelib.kit import clock, ids
    from chalicelib.kit.table import Item
    from chalicelib.shifts.models import Shift

    shift = Shift.key(f"{ids.new_id('shift')}.{_COMMUNITY}")
    shift.state, shift.activity, shift.title, shift.service = "published", ids.new_id("activity"), "守小门", "gate"
    shift.area = shift.audience = _COMMUNITY
    shift.place, shift.organiser, shift.organiser_name = "东门", "res_organiser", "组织者"
    shift.start_at = clock.now() + timedelta(days=2)
    shift.end_at, shift.capacity = shift.start_at + timedelta(hours=4), places
    shift.list_it()
    with Item.batch_write() as batch:
        batch.save(shift)
    return shift.id


def settle(people: Sequence[str]) -> None:
    """Write residents who live there and whose applications were approved."""
    from chalicelib.kit import auth, clock
    from chalicelib.kit.table import Item
    from chalicelib.people.models import Resident
    from chalicelib.volunteers.models import Volunteer

    now, version = clock.now(), auth.privacy().version
    with Item.batch_write() as batch:
        for person in people:
            resident = Resident.key(person)
            resident.nickname, resident.created_at = "邻居", now
            resident.consent_version, resident.consent_at = version, now
            resident.home, resident.home_state = _COMMUNITY, "confirmed"
            batch.save(resident)
            file = Volunteer.key(person)
            file.state, file.nickname, file.area, file.version = "approved", "邻居", _COMMUNITY, 1
            batch.save(file)


def sign_up(person: str, shift: str) -> Any:
    """One request, as the route makes it."""
    from chalicelib.kit import auth, clock
    from chalicelib.kit.attempt import Attempt
    from chalicelib.kit.auth import Caller
    from chalicelib.shifts.places import signing_up

    caller = Caller(person, "", "", 0, auth.privacy().version)
    attempt = Attempt(person, f"POST /shifts/{shift}/sign-up", b'{"wait":true}', "tap")
    wish = signing_up.Wish(wait=True)
    return signing_up.sign_up(caller=caller, shift_id=shift, wish=wish, attempt=attempt, now=clock.now())


def bare_sign_ups(number: int) -> list[Any]:
    """The calls of so many sign-ups for a shift that has room for all of them."""
    from bench import bare
    from chalicelib.people.models import Resident
    from chalicelib.volunteers.models import Volunteer

    shift, person = new_shift(1_000_000), f"res_{secrets.token_hex(16)}"
    settle([person])
    people = bare.stored(Resident.key(person), Volunteer.key(person))
    calls, _ = bare.watched(lambda: sign_up(person, shift))

    def another(text: str, each: int) -> str:
        return text.replace(person, f"{person[:-8]}{each:08d}")

    return bare.Bare(calls, people, another).prepare(number)


def run(engine: str, *, people: int, places: int, threads: int, seed: int) -> bool:
    """Print what happened; whether the places were filled exactly and the others wait in order."""
    print(f"\n{engine}: {people:,} people, {places:,} places, {threads} threads", flush=True)
    rush = Rush(people=people, places=places, seed=seed)
    beside = bare_sign_ups(people // _FOR_ONE_BARE)
    began = time.perf_counter()
    told = rush.rush(threads=threads, beside=beside)
    took = time.perf_counter() - began
    found = rush.found(told)
    lost = ", ".join(f"{name} {number:,}" for name, number in rush.lost.most_common()) or "none"
    print(f"  taps {len(told):,}; answers lost: {lost}")
    print(f"  places {found.placed:,}, waiting {found.waiting:,}, in order: {'yes' if found.in_order else 'no'}")
    print(f"  doubled {found.doubled}, wrong {found.wrong}; {len(told) / took:,.0f} taps/s", flush=True)
    _say_how_fast(told, rush.beside)
    return found == Found(min(places, people), max(people - places, 0), 0, 0, in_order=True)


def _say_how_fast(told: Sequence[Told], beside: Sequence[Beside]) -> None:
    one, two = ([each.seconds for each in beside if each.calls == calls] for calls in (1, 2))
    quiet = [one.answer for one in told if one.answer.quiet and one.first_tap and one.answer.result]
    print(f"  {'':<22}{'p50 ms':>9}{'p99 ms':>9}{'p50 ratio':>11}{'p99 ratio':>11}")
    for name, seconds in (
        ("bare transaction", one),
        ("bare read and it", two),
        ("sign-up", [each.seconds for each in quiet]),
    ):
        p50, p99 = percentile(seconds, 0.5), percentile(seconds, 0.99)
        ratios = p50 / percentile(one, 0.5), p99 / percentile(one, 0.99)
        print(f"  {name:<22}{p50 * 1000:>9.1f}{p99 * 1000:>9.1f}{ratios[0]:>11.2f}{ratios[1]:>11.2f}")
    calls, units = [each.calls for each in quiet], [each.write_units for each in quiet]
    print(f"  AWS calls {statistics.mean(calls):.2f}, at most {max(calls)}; write units {statistics.mean(units):.2f}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.signup_rush", description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--places", type=int, default=100)
    parser.add_argument("--threads", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=ENGINES, help="only this one")
    asked = parser.parse_args()
    sizes = {"people": asked.people, "places": asked.places, "threads": asked.threads, "seed": asked.seed}
    return each_engine(asked.engine, lambda engine: run(engine, **sizes))


if __name__ == "__main__":
    sys.exit(main())
