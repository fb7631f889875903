"""A crowd at a campaign, in process, for `bench.stampede` and its short form in the tests.

    market = Market.opened(masks=60, residents=200)
    told = market.stampede(threads=16)
    found = aftermath.found(market, told)

Residents are written as the books themselves write them, without WeChat. Most want one piece, some two; some have too
few points, some live elsewhere, some want more than the campaign allows one person. A fifth taps twice: the repeat is
asked by another thread at the same moment. Of the AWS calls some lose their answers (tests/faults): once, which botocore
notices and repeats, or for good, and then the person asks again with the same key. (On a busy machine some are lost by
themselves: an engine that takes longer than four seconds is given up.)

Needs an engine, and its variables in the environment before anything of chalicelib is imported.
"""

from __future__ import annotations

import itertools
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple, TypeVar

from botocore.exceptions import BotoCoreError
from pynamodb.exceptions import PynamoDBException

from chalicelib.kit import auth, clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Problem
from chalicelib.kit.table import Item
from chalicelib.mall import products, redeeming
from chalicelib.mall.products import Terms
from chalicelib.mall.redeeming import Wish
from chalicelib.mall.rules import Desk
from chalicelib.people.models import Resident
from chalicelib.points import rules as points
from chalicelib.points.books import Book
from chalicelib.points.models import Transfer
from tests.engine import wire
from tests.engine.budget import Spent
from tests.faults.faults import FOR_EVER, Fault, no_waiting

PRICE, POINTS, TOO_FEW, CAP = 5, 50, 3, 2
BUCKETS = 32
_COMMUNITY, _ELSEWHERE = "330402001001", "330483001001"
LOSES_ITS_ANSWER = 0.01  # of the AWS calls; half of them once, half for good
TAPS_TWICE = 0.2
_ASKS_AT_MOST = 20
_COMES_BACK_AFTER = 0.05  # seconds, when told to; a phone waits longer, and the machine would idle

T = TypeVar("T")
R = TypeVar("R")


class Buyer(NamedTuple):
    """`ought` is the refusal that this one must get however much there is, None when it is a matter of luck."""

    caller: Caller
    quantity: int
    points: int
    ought: str | None


class Told(NamedTuple):
    """What one request was told in the end, and what it took. `quiet`: nothing was lost on the way."""

    buyer: Buyer
    redemption: str | None
    refusal: str | None
    first_tap: bool
    quiet: bool
    seconds: float
    calls: int
    write_units: float
    ended: float  # time.perf_counter()


class Beside(NamedTuple):
    """Something that was done during the stampede, and no part of it."""

    seconds: float
    ended: float  # time.perf_counter()
    calls: int


class Sight(wire.Watcher):
    """What each thread's request takes of AWS, with some answers lost."""

    def __init__(self, seed: int, loses: float) -> None:
        super().__init__()
        self.loses, self.seed = loses, seed
        self.mine = threading.local()
        self.lost: Counter[str] = Counter()

    def begin(self, *, loses: bool = True) -> Spent:
        """A new request of this thread; `loses`: its answers may be lost."""
        self.mine.spent, self.mine.fault, self.mine.struck = Spent(), None, False
        self.mine.loses = self.loses if loses else 0.0
        if not hasattr(self.mine, "random"):
            self.mine.random = random.Random(f"{self.seed} {threading.get_ident()}")
        return self.mine.spent

    @property
    def struck(self) -> bool:
        return bool(self.mine.struck)

    def parameters(self, service: str, operation: str, parameters: dict[str, Any]) -> None:
        self.mine.spent.parameters(service, operation, parameters)

    def begins(self, call: wire.Call) -> None:
        self.mine.spent.begins(call)
        self.mine.fault = None
        if self.mine.random.random() < self.mine.loses:
            attempts = self.mine.random.choice((1, FOR_EVER))
            self.mine.fault, self.mine.struck = Fault(None, "answer_lost", attempts), True
            self.lost[f"{call.operation} {'once' if attempts == 1 else 'for good'}"] += 1

    def sends(self, call: wire.Call, request: Any) -> Any:
        return self.mine.fault.sends(call, request) if self.mine.fault else None

    def ends(self, call: wire.Call, answer: dict[str, Any]) -> None:
        self.mine.spent.ends(call, answer)


class Market:
    """One campaign and everybody who wants something of it."""

    def __init__(self, product_id: str, masks: int, buyers: list[Buyer], seed: int) -> None:
        self.product_id, self.masks, self.buyers, self.seed = product_id, masks, buyers, seed
        self.lost: Counter[str] = Counter()
        self.beside: list[Beside] = []

    @classmethod
    def opened(
        cls, *, masks: int, residents: int = 0, buyers: Sequence[Buyer] = (), buckets: int = BUCKETS, seed: int = 1
    ) -> Market:
        """With so many residents made up, or these."""
        product_id, now = f"masks-{secrets.token_hex(6)}", clock.now()
        terms = Terms(
            name="口罩",
            text="",
            unit="只",
            price=PRICE,
            area=_COMMUNITY[:6],
            desks=[Desk(area=_COMMUNITY, place="office", name="社区居委会")],
            delivers=False,
            collect_days=7,
            cap=CAP,
            campaign_of="masks",
            opens_at=now - timedelta(minutes=1),
            closes_at=now + timedelta(hours=2),
        )
        products.save(product_id, terms, buckets=buckets, by="bench", now=now)
        products.restock(product_id, masks, receipt="first", reason="入库", by="bench", now=now)
        buyers = buyers or _buyers(residents, random.Random(seed))
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(_settle, [buyers[at : at + 100] for at in range(0, len(buyers), 100)]))
        return cls(product_id, masks, list(buyers), seed)

    def stampede(self, *, threads: int, beside: Sequence[Callable[[Sight], Beside | None]] = ()) -> list[Told]:
        """Everybody at once, each told something in the end. In between, the same threads do what is to be measured
        `beside` it; what that took is in `self.beside`."""
        chance = random.Random(self.seed)
        taps = [(buyer, True) for buyer in self.buyers]
        chance.shuffle(taps)
        twice = [[tap, (tap[0], False)] if chance.random() < TAPS_TWICE else [tap] for tap in taps]
        sight = Sight(self.seed, LOSES_ITS_ANSWER)
        with watching(sight):
            done = at_once(threads, mixed(twice, beside, chance), lambda job: self._do(job, sight))
        self.lost, self.beside = sight.lost, [each for each in done if isinstance(each, Beside)]
        return [each for each in done if isinstance(each, Told)]

    def _do(self, job: Any, sight: Sight) -> Told | Beside | None:
        return job(sight) if callable(job) else self._ask(*job, sight)

    def _ask(self, buyer: Buyer, first_tap: bool, sight: Sight) -> Told:
        """A person at the phone: asks until there is an answer, always with the same key."""
        attempt = Attempt(buyer.caller.id, f"/products/{self.product_id}/redemptions", b"{}", f"tap-{self.product_id}")
        wish = Wish(quantity=buyer.quantity, price=PRICE)
        answer = ask(
            sight,
            lambda: redeeming.redeem(
                caller=buyer.caller, product_id=self.product_id, wish=wish, attempt=attempt, now=clock.now()
            ),
        )
        redemption = answer.result.id if answer.result else None
        return Told(buyer, redemption, answer.refusal, first_tap, *answer[2:])


class Answer(NamedTuple):
    """What a request came to in the end, a result or the code of a refusal, and what it took."""

    result: Any | None
    refusal: str | None
    quiet: bool
    seconds: float
    calls: int
    write_units: float
    ended: float


def ask(sight: Sight, act: Callable[[], Any]) -> Answer:
    """Ask until there is an answer; what is counted is the asking that got it."""
    quiet = True
    for _ in range(_ASKS_AT_MOST):
        spent, began = sight.begin(), time.perf_counter()
        result = refusal = None
        try:
            result = act()
        except Problem as problem:
            if problem.status == 429:
                quiet = False
                time.sleep(_COMES_BACK_AFTER)
                continue
            refusal = problem.code
        except (PynamoDBException, BotoCoreError):
            quiet = False
            if not sight.struck:
                sight.lost["by themselves"] += 1
            continue
        ended = time.perf_counter()
        quiet = quiet and not sight.struck
        return Answer(result, refusal, quiet, ended - began, len(spent.calls), spent.write_units, ended)
    return Answer(None, "never_told", False, 0.0, 0, 0.0, time.perf_counter())


def mixed(taps: list[list[Any]], beside: Sequence[Any], chance: random.Random) -> Iterator[Any]:
    """Both in one line, at random; who taps twice stays behind themselves."""
    groups = [*taps, *([each] for each in beside)]
    chance.shuffle(groups)
    return itertools.chain.from_iterable(groups)


def _buyers(number: int, chance: random.Random) -> list[Buyer]:
    version = auth.privacy().version
    buyers = []
    for _ in range(number):
        kind = chance.choices(["one", "two", "poor", "elsewhere", "greedy"], [75, 10, 6, 5, 4])[0]
        caller = Caller(f"res_{chance.randrange(16**24):024x}{secrets.token_hex(4)}", "", "", 0, version)
        quantity = {"two": 2, "greedy": CAP + 1}.get(kind, 1)
        ought = {"poor": "not_enough_points", "elsewhere": "wrong_area", "greedy": "over_the_cap"}.get(kind)
        buyers.append(Buyer(caller, quantity, TOO_FEW if kind == "poor" else POINTS, ought))
    return buyers


class _Items:
    """Stands in a transaction's place for books that are new: what they would create."""

    def __init__(self) -> None:
        self.made: list[Item] = []

    def create(self, item: Item, *, or_raise: Problem) -> None:
        self.made.append(item)


def _settle(buyers: Sequence[Buyer]) -> None:
    """Write residents with homes, consent and points."""
    now = clock.now()
    with Item.batch_write() as batch:
        for buyer in buyers:
            resident = Resident.key(buyer.caller.id)
            resident.nickname, resident.created_at = "邻居", now
            resident.consent_version, resident.consent_at = buyer.caller.consent, now
            resident.home = _ELSEWHERE if buyer.ought == "wrong_area" else _COMMUNITY
            resident.home_state = "confirmed"
            batch.save(resident)
            book, written = Book(buyer.caller.id, None, now), _Items()
            more = {"reason": "帮助邻居", "subject": "bench", "rule": "help"}
            book.move(
                Transfer.new(buyer.caller.id, "help:bench", buyer.points, of=points.ISSUED, gives=True, at=now, **more)
            )
            book.write(written)  # type: ignore[arg-type]
            for item in written.made:
                batch.save(item)


@contextmanager
def watching(sight: Sight) -> Iterator[None]:
    with no_waiting(), wire.watched(sight):
        yield


def at_once(threads: int, jobs: Iterable[T], do: Callable[[T], R]) -> list[R]:
    """All jobs by so many threads, each taking the next one as soon as it is done with one."""
    waiting, lock = iter(jobs), threading.Lock()
    start = threading.Barrier(threads)

    def work(_: int) -> list[R]:
        done: list[R] = []
        start.wait()
        while True:
            with lock:
                job = next(waiting, None)
            if job is None:
                return done
            done.append(do(job))

    with ThreadPoolExecutor(threads) as pool:
        return [one for each in pool.map(work, range(threads)) for one in each]
