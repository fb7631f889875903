"""A campaign's stampede against the real code and the real engines: exactly what is there is sold, once each.

    python -m bench.stampede [--masks 9000] [--residents 20000] [--threads 64] [--engine ministack|dynoxide]

On ministack, and on dynoxide where it is installed (`make engines`), in a file that it writes through to the disk. All
residents come at once, a fifth of them taps twice, some answers are lost (see `bench.crowd`). Afterwards the table is
read back: what was sold, to whom, and whether it agrees with points, stock and what people were told.

Times are ratios, because seconds mean nothing on another machine: a redemption against a bare TransactWriteItems of the
same items, bytes and conditions, sent with botocore for somebody else, through the very client that the models use (so
pool, timeouts and retries are the same, and neither has its parameters checked, which would make the bare one slower by
an eighth and the ratio look better). The same threads send them during the stampede, so that both share the cores,
Python's lock and the engine at every moment; of these, those count that ended before the last piece was gone.

A redemption reads before it writes. So the same read and transaction, bare, are measured beside it, too: with so many
threads a time is mostly waiting for one's turn, at Python's lock and at the engine, two calls wait about twice as often
as one, and their ratio is the floor. What a redemption has above it is PynamoDB, the rules, and further calls: who finds
their bucket empty looks at all buckets, who was overtaken (by their own second tap, too) looks again, and every five
seconds a thread reads the product again. Left out of the times: requests that lost an answer, second taps. Conflicts and
throttles, which no local engine knows: see `bench.partitions`.

Write units are the engine's own count. A refusal writes nothing; a failed condition has its units on AWS, which no
engine tells.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from local import engines
from tests.engine import dynoxide, local_aws, wire
from tests.engine.divergences import ENGINES

if TYPE_CHECKING:
    from bench.aftermath import Found
    from bench.crowd import Beside, Market, Told

AIM = 2.0
_FOR_ONE_BARE = 4  # residents


@contextmanager
def tables_in(engine: str) -> Iterator[None]:
    """The code's tables, empty, in this engine."""
    from chalicelib.kit.table import Item

    if engine == "ministack":
        yield
        return
    folder = Path(tempfile.mkdtemp(prefix="dynoxide-", dir=_local()))
    try:
        with dynoxide.running(keep_in=folder) as url:
            os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = url
            Item._connection = None
            local_aws.create_tables()
            yield
    finally:
        del os.environ["AWS_ENDPOINT_URL_DYNAMODB"]
        Item._connection = None
        shutil.rmtree(folder, ignore_errors=True)


def _local() -> Path:
    folder = local_aws.ROOT / ".local"
    folder.mkdir(exist_ok=True)
    return folder


def percentile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


def run(engine: str, *, masks: int, residents: int, threads: int, seed: int) -> bool:
    """Print what happened; whether exactly everything was sold, once each."""
    from bench import aftermath, bare, crowd

    print(f"\n{engine}: {masks:,} masks, {residents:,} residents, {threads} threads", flush=True)
    market = crowd.Market.opened(masks=masks, residents=residents, seed=seed)
    beside = bare.of_a_redemption().prepare(residents // _FOR_ONE_BARE)
    began = time.perf_counter()
    told = market.stampede(threads=threads, beside=beside)
    took = time.perf_counter() - began
    found = aftermath.found(market, told)
    _say_what_was_sold(market, found, told)
    _say_how_fast(told, market.beside, began=began, took=took)
    _say_what_it_cost(told)
    return (found.sold, found.doubled, found.negative, found.wrong) == (masks, 0, 0, 0)


def _say_what_was_sold(market: Market, found: Found, told: list[Told]) -> None:
    refused = Counter(one.refusal for one in told if one.refusal)
    print(f"  taps {len(told):,}; answers lost: {_listed(market.lost)}")
    print(f"  sold {found.sold:,} to {found.winners:,} residents, left {found.unsold:,}")
    print(f"  refused: {_listed(refused)}")
    print(
        f"  doubled {found.doubled}, negative {found.negative}, wrong {found.wrong}, contradicted {found.contradicted}",
        flush=True,
    )


def _say_how_fast(told: list[Told], beside: list[Beside], *, began: float, took: float) -> None:
    made = [one for one in told if one.redemption and one.first_tap]
    until = max((one.ended for one in made), default=began) - began
    meanwhile = [each for each in beside if each.ended <= began + until] or beside
    bare, both = ([each.seconds for each in meanwhile if each.calls == calls] for calls in (1, 2))
    print(
        f"  {len(made) / max(until, 0.001):,.0f} redemptions/s until the last was made, {len(told) / took:,.0f} taps/s in all"
    )
    print(f"  {'':<22}{'p50 ms':>9}{'p99 ms':>9}{'p50 ratio':>11}{'p99 ratio':>11}")
    print(f"  {'bare transaction':<22}{percentile(bare, 0.5) * 1000:>9.1f}{percentile(bare, 0.99) * 1000:>9.1f}")
    lines = [
        ("bare read and it", both),
        ("redemption", [one.seconds for one in made if one.quiet]),
        ("sold out", [one.seconds for one in told if one.refusal == "sold_out" and one.quiet and one.first_tap]),
    ]
    for name, seconds in lines:
        if not seconds:
            continue
        p50, p99 = percentile(seconds, 0.5), percentile(seconds, 0.99)
        ratios = p50 / percentile(bare, 0.5), p99 / percentile(bare, 0.99)
        aim = f"   aim ≤ {AIM} {'met' if max(ratios) <= AIM else 'missed'}" if name == "redemption" else ""
        print(f"  {name:<22}{p50 * 1000:>9.1f}{p99 * 1000:>9.1f}{ratios[0]:>11.2f}{ratios[1]:>11.2f}{aim}")


def _say_what_it_cost(told: list[Told]) -> None:
    print(f"  {'':<22}{'AWS calls':>10}{'at most':>9}{'write units':>13}{'at most':>9}")
    quiet = [one for one in told if one.quiet and one.first_tap]
    for name, some in (
        ("redemption", [one for one in quiet if one.redemption]),
        ("sold out", [one for one in quiet if one.refusal == "sold_out"]),
    ):
        if some:
            calls, units = [one.calls for one in some], [one.write_units for one in some]
            print(
                f"  {name:<22}{statistics.mean(calls):>10.2f}{max(calls):>9}{statistics.mean(units):>13.2f}{max(units):>9g}"
            )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.most_common()) or "none"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.stampede", description=__doc__.partition("\n")[0])
    parser.add_argument("--masks", type=int, default=9_000)
    parser.add_argument("--residents", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=ENGINES, help="only this one")
    asked = parser.parse_args()
    sizes = {"masks": asked.masks, "residents": asked.residents, "threads": asked.threads, "seed": asked.seed}
    return each_engine(asked.engine, lambda engine: run(engine, **sizes))


def each_engine(only: str | None, run: Callable[[str], bool]) -> int:
    """Run on every engine that there is, or on one. 0 when all went as it ought to: what a process says at its end."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    # Before anything of chalicelib is imported, as in tests/conftest.py.
    os.environ.update(local_aws.ENVIRONMENT, SETTINGS_TTL_SECONDS="3600")
    wire.watch_all()
    exact = True
    with local_aws.running():
        for engine in [only] if only else ENGINES:
            if engine == "dynoxide" and engines.dynoxide() is None:
                print(f"\ndynoxide: skipped, {engines.why_not()}")
                continue
            with tables_in(engine):
                exact = run(engine) and exact
    return 0 if exact else 1


if __name__ == "__main__":
    sys.exit(main())
