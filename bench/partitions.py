"""A campaign's first minute on DynamoDB's partitions: one stock item against stock in buckets. Computed, not measured.

    python -m bench.partitions [--stock 9000] [--people 100000] [--seed 1] [--hold-ms 10]

No local engine has partitions, so this is a discrete-event model of them, in plain Python and the same for the same
seed. People arrive within one minute, each at a random moment, each wants one piece. What a request does is what
the mall does (`chalicelib/mall`, `kit/transaction.py`), with its own numbers:

1. One BatchGetItem: items of the resident's own, and their home bucket. When that has too little, one BatchGetItem of
   all buckets; the next that has enough is taken, walking on from home. All empty: sold out, nothing is written, and
   the container says so for a second without looking again. (The product itself is kept by the container.)
2. One TransactWriteItems: redemption, transfer and account under keys of their own, which nobody else wants, and the
   bucket. When the bucket has become empty meanwhile: after a pause the act begins anew, 12 times at most.
3. A conflict or a throttled write is tried 5 times with pauses of 0 to 0.03·2ⁿ s. Then the client is answered 429 and
   comes back when Retry-After is over and up to a second later, 30 times at most; then it gives up.

What AWS does: a partition key takes 1,000 write units and 3,000 read units a second, and no more is saved up than one
second's worth. An item in a transaction takes two write units, one to prepare and one to commit. While a transaction
holds an item, another one that wants it is cancelled. What is cancelled has paid for the preparing, as has one whose
condition failed. A throttled write has paid nothing. A throttled read is asked for again by PynamoDB without a pause,
which is a queue here. Lambda runs 1,000 requests at once, its quota in a new account; who is one too many is told to
come back (as with 429).

Assumed, because AWS promises no such number: a transaction takes 10 ms and holds its items all the time (`--hold-ms`
for less), what is refused and what is read takes 5 ms. Less holding favours the one item: at 2 ms 32 buckets are 4 times
as fast, because then they keep up with the crowd, which comes no faster. That is the bound in every row, and the last.

`times` compares pieces handed out a second, until the last. `with stock` are people who gave up while there was some:
for buckets it must be 0. `in turn` is the share that got a piece of those who came first, as many as there were pieces.

Left out: adaptive capacity, splitting for heat (which cannot split one item, and separates buckets only after minutes)
and buckets that share a partition at first; the capacity of a new table (4,000 writes a second until it is warmed up);
the API's own throttle, which must let the crowd in first (RequestsPerSecond); cold starts; the network; people who
want several, who cancel, and who have several requests under way.
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
import zlib
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from typing import NamedTuple

MINUTE = 60.0
WRITE_UNITS, READ_UNITS = 1_000.0, 3_000.0  # a second and partition key
SAVED_UP = 1.0  # seconds' worth of unused units
READ_SECONDS, TRANSACTION_SECONDS, REFUSED_SECONDS = 0.005, 0.010, 0.005
CONTAINERS = 1_000
EMPTY_FOR = 1.0  # mall/stock.py: how long a container that saw all buckets empty does not look again
PREPARE_UNITS, COMMIT_UNITS = 1, 1
CONFLICT_TRIES, FIRST_PAUSE = 5, 0.03  # kit/transaction.py
DECISIONS, DECISION_PAUSE = 12, 0.02  # the mall's
RETRY_AFTER, COMES_BACK_WITHIN, RETURNS = 2.0, 1.0, 30
BUCKETS = (1, 4, 8, 16, 32)
AIM = 8.0

Steps = Iterator[float]  # a process of the model: what it yields is how long it waits
Asked = Generator[float, None, str]
Read = Generator[float, None, list[int]]


class TokenBucket:
    """Units of one partition key: `rate` a second, at most `SAVED_UP` seconds of them at once."""

    def __init__(self, rate: float) -> None:
        self.rate, self.most = rate, rate * SAVED_UP
        self.units, self.at = self.most, 0.0

    def has(self, units: float, now: float) -> bool:
        """Whether so many are there now; otherwise who wants them is throttled."""
        self._fill(now)
        return self.units >= units

    def queue(self, units: float, now: float) -> float:
        """Take them as soon as it is this one's turn; how long that takes."""
        self._fill(now)
        wait = max(0.0, (units - self.units) / self.rate)
        self.units -= units  # below zero: those who come later wait behind
        return wait

    def _fill(self, now: float) -> None:
        self.units = min(self.most, self.units + (now - self.at) * self.rate)
        self.at = now


class Stock:
    """One stock item under its own partition key. Its number changes by transactions only."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.held = False
        self.writes, self.reads = TokenBucket(WRITE_UNITS), TokenBucket(READ_UNITS)

    def prepare(self, now: float) -> str:
        """Begin to take one piece: `held`, or why not: `throttled`, `conflict`, `empty`."""
        if not self.writes.has(PREPARE_UNITS + COMMIT_UNITS, now):
            return "throttled"
        self.writes.units -= PREPARE_UNITS
        if self.held:
            return "conflict"
        if self.left < 1:
            return "empty"
        self.writes.units -= COMMIT_UNITS
        self.held = True
        return "held"

    def commit(self) -> None:
        self.left -= 1
        self.held = False


class Container:
    """One of Lambda's, which handles one request after another and remembers when it saw all buckets empty."""

    def __init__(self) -> None:
        self.saw_empty_at = -EMPTY_FOR


class Person(NamedTuple):
    id: str
    arrives: float


class Ending(NamedTuple):
    """What became of somebody: `sold`, `sold_out` or `gave_up`, and when."""

    person: Person
    outcome: str
    at: float
    stock_left: int

    @property
    def waited(self) -> float:
        return self.at - self.person.arrives


class Campaign:
    """A product whose stock is spread over some buckets, and the crowd that wants it."""

    def __init__(self, *, stock: int, buckets: int, hold: float = TRANSACTION_SECONDS, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.buckets = [Stock(stock // buckets + (number < stock % buckets)) for number in range(buckets)]
        self.hold, self.now = hold, 0.0
        self.endings: list[Ending] = []
        self.said: Counter[str] = Counter()  # what requests were answered, and why transactions were cancelled
        self._idle = [Container() for _ in range(CONTAINERS)]
        self._waiting: list[tuple[float, int, Steps]] = []
        self._number = 0

    @property
    def left(self) -> int:
        return sum(bucket.left for bucket in self.buckets)

    def run(self, crowd: Iterable[Person]) -> None:
        for person in crowd:
            self._wake(person.arrives, self._visit(person))
        while self._waiting:
            self.now, _, steps = heapq.heappop(self._waiting)
            pause = next(steps, None)
            if pause is not None:
                self._wake(self.now + pause, steps)

    def _wake(self, at: float, steps: Steps) -> None:
        self._number += 1  # of two at the same moment, the one that was there first
        heapq.heappush(self._waiting, (at, self._number, steps))

    def _visit(self, person: Person) -> Steps:
        """A person with a phone: asks, and asks again as long as the answer is to come back later."""
        home = home_bucket(person.id, len(self.buckets))
        for again in range(RETURNS + 1):
            if again:
                yield RETRY_AFTER + self.random.uniform(0, COMES_BACK_WITHIN)
            outcome = (yield from self._request(home)) if self._idle else "crowded"
            self.said[outcome] += 1
            if outcome in ("sold", "sold_out"):
                break
        else:
            outcome = "gave_up"
        self.endings.append(Ending(person, outcome, self.now, self.left))

    def _request(self, home: int) -> Asked:
        """What a container that has nothing to do answers: `sold`, `sold_out` or `busy` (429)."""
        container = self._idle.pop()
        outcome = yield from self._redeem(home, container)
        self._idle.append(container)
        return outcome

    def _redeem(self, home: int, container: Container) -> Asked:
        for decision in range(DECISIONS):
            if decision:
                yield self.random.uniform(0, DECISION_PAUSE * decision)
            chosen = home
            there = yield from self._read([self.buckets[home]])
            if not there[0]:
                if self.now < container.saw_empty_at + EMPTY_FOR:
                    return "sold_out"
                there = yield from self._read(self.buckets)
                walk = [*range(home, len(self.buckets)), *range(home)]
                chosen = next((number for number in walk if there[number]), -1)
                if chosen < 0:
                    container.saw_empty_at = self.now
                    return "sold_out"
            outcome = yield from self._transaction(self.buckets[chosen])
            if outcome != "empty":
                return outcome
        return "busy"

    def _read(self, buckets: list[Stock]) -> Read:
        """How much is left in each, by one BatchGetItem, which is answered when the last of them is."""
        yield max(bucket.reads.queue(1, self.now) for bucket in buckets) + READ_SECONDS / 2
        left = [bucket.left for bucket in buckets]
        yield READ_SECONDS / 2
        return left

    def _transaction(self, bucket: Stock) -> Asked:
        """`sold`, `empty` (a failed condition) or `busy`, as `kit/transaction.py` comes to it."""
        for attempt in range(CONFLICT_TRIES):
            if attempt:
                yield self.random.uniform(0, FIRST_PAUSE * 2**attempt)
            prepared = bucket.prepare(self.now)
            if prepared == "held":
                yield self.hold
                bucket.commit()
                yield TRANSACTION_SECONDS - self.hold
                return "sold"
            self.said[prepared] += 1
            yield REFUSED_SECONDS
            if prepared == "empty":
                return "empty"
        return "busy"


def home_bucket(person_id: str, buckets: int) -> int:
    """Where somebody looks first, as the mall says it."""
    return zlib.crc32(person_id.encode()) % buckets


def crowd_of(people: int, *, seed: int, within: float = MINUTE) -> list[Person]:
    """So many people, each arriving at a random moment, the first first."""
    chance = random.Random(f"crowd {seed}")
    arrivals = sorted(chance.uniform(0, within) for _ in range(people))
    return [Person(f"res_{chance.randrange(16**16):016x}", at) for at in arrivals]


class Summary(NamedTuple):
    """Seconds; people; and shares of one."""

    sold: int
    last_at: float  # when the last piece was handed out, since the first could come
    sold_out: int
    gave_up: int
    gave_up_in_vain: int  # of them: while there was stock
    refused_in_vain: int  # told that it is sold out while there was stock
    untold: int  # arrived and were told nothing
    busy: int  # answers 429
    crowded: int  # requests that no container was free for
    longest: float  # that anybody waited for the last word
    winners_wait: float  # that 99 of 100 of those waited at most who got something
    in_turn: float  # of those who came first, as many as there were pieces, the share that got one


def summary(campaign: Campaign, crowd: list[Person], *, stock: int) -> Summary:
    by = {outcome: [e for e in campaign.endings if e.outcome == outcome] for outcome in ("sold", "sold_out", "gave_up")}
    winners = by["sold"]
    first = {person.id for person in crowd[:stock]}
    waits = sorted(each.waited for each in winners)
    return Summary(
        sold=len(winners),
        last_at=max((each.at for each in winners), default=0.0),
        sold_out=len(by["sold_out"]),
        gave_up=len(by["gave_up"]),
        gave_up_in_vain=sum(each.stock_left > 0 for each in by["gave_up"]),
        refused_in_vain=sum(each.stock_left > 0 for each in by["sold_out"]),
        untold=len(crowd) - len(campaign.endings),
        busy=campaign.said["busy"],
        crowded=campaign.said["crowded"],
        longest=max((each.waited for each in campaign.endings), default=0.0),
        winners_wait=waits[len(waits) * 99 // 100] if waits else 0.0,
        in_turn=sum(each.person.id in first for each in winners) / max(1, len(first)),
    )


def play(stock: int, people: int, buckets: int, hold: float, seed: int) -> Summary:
    crowd = crowd_of(people, seed=seed)
    campaign = Campaign(stock=stock, buckets=buckets, hold=hold, seed=seed)
    campaign.run(crowd)
    return summary(campaign, crowd, stock=stock)


def compare(*, stock: int, people: int, hold: float, seed: int) -> tuple[float, float]:
    """Print the table; how many times as fast as one item the most buckets hand out, and the crowd comes."""
    print(f"\n{stock:,} pieces, {people:,} people within a minute, an item held for {hold * 1000:g} ms")
    print(
        f"{'buckets':>8}{'sold':>9}{'last after':>12}{'a second':>10}{'times':>7}{'sold out':>10}{'429':>10}"
        f"{'crowded':>11}{'gave up':>9}{'with stock':>11}{'p99 wait':>10}{'longest':>9}{'in turn':>9}"
    )
    speeds = []
    with ProcessPoolExecutor() as pool:
        played = pool.map(play, repeat(stock), repeat(people), BUCKETS, repeat(hold), repeat(seed))
        for buckets, seen in zip(BUCKETS, played, strict=True):
            speeds.append(seen.sold / seen.last_at)
            print(
                f"{buckets:>8}{seen.sold:>9,}{seen.last_at:>10.1f} s{speeds[-1]:>10,.0f}{speeds[-1] / speeds[0]:>7.1f}"
                f"{seen.sold_out:>10,}{seen.busy:>10,}{seen.crowded:>11,}{seen.gave_up:>9,}{seen.gave_up_in_vain:>11,}"
                f"{seen.winners_wait:>8.1f} s{seen.longest:>7.1f} s{seen.in_turn:>9.1%}",
                flush=True,
            )
    served = crowd_of(people, seed=seed)[:stock]
    most = len(served) / served[-1].arrives
    print(
        f"   crowd{len(served):>9,}{served[-1].arrives:>10.1f} s{most:>10,.0f}{most / speeds[0]:>7.1f}   served as it comes"
    )
    return speeds[-1] / speeds[0], most / speeds[0]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.partitions", description=__doc__.partition("\n")[0])
    parser.add_argument("--stock", type=int, default=9_000)
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hold-ms", type=float, default=TRANSACTION_SECONDS * 1000)
    asked = parser.parse_args()
    if not 0 < asked.hold_ms <= TRANSACTION_SECONDS * 1000:
        parser.error(f"--hold-ms: more than 0, at most {TRANSACTION_SECONDS * 1000:g}")
    if asked.stock < 1 or asked.people < 1:
        parser.error("--stock and --people: at least 1")
    times, bound = compare(stock=asked.stock, people=asked.people, hold=asked.hold_ms / 1000, seed=asked.seed)
    met = (
        "met"
        if times >= AIM
        else "missed"
        if bound >= AIM
        else f"out of reach: the crowd comes {bound:.1f} times as fast"
    )
    print(f"{BUCKETS[-1]} buckets are {times:.1f} times as fast as one item; aim ≥ {AIM:g} {met}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
