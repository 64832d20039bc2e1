"""How fast stores are filled, and how many changes a second they take."""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.storing.report import say, say_rates
from benchmarks.storing.stand import FilledShop
from eventstore.errors.stores import CopyMoved, StoreAway
from eventstore.projections.changes import RowChange
from eventstore.stores.row_store import Copy
from eventstore.stores.writer import Writer
from tests.support.fed_store import have_all

PATIENCE = 3_600.0


def measure_filling(shop: FilledShop, names: Sequence[str]) -> None:
    """Make the first copies of these stores, and print how fast that went."""
    for name in names:
        with shop.writer(name) as writer, counted(writer) as rows:
            seconds = settle(writer)
            total = sum(rows.values())
            of = ", ".join(f"{model} {count:,}" for model, count in rows.items())
            # A cache is filled by its readers.
            if total:
                say(f"d  filling {name}", f"{total / seconds:10,.0f} rows/s ({of})")


def measure_changes(
    shop: FilledShop, names: Sequence[str], count: int, turns: int
) -> None:
    """Print how many changed rows a second each store takes, a page at a time."""
    shop.changes.place(count)
    for name in names:
        with shop.writer(name) as writer:
            settle(writer)
    rates: dict[str, list[float]] = defaultdict(list)
    shares: dict[str, dict[str, int]] = {}
    # A payment, a parcel and a delivery for each new order: not more turns than that.
    for _ in range(min(turns, 3)):
        shop.changes.step(count)
        shop.changes.rename(max(min(count // 13, shop.customers // 4), 1))
        for name in names:
            with shop.writer(name) as writer, counted(writer) as rows:
                seconds = settle(writer)
                rates[name].append(sum(rows.values()) / seconds)
                shares[name] = dict(rows)
    for name in names:
        of = ", ".join(f"{model} {one:,}" for model, one in shares[name].items())
        say_rates(f"d  {name} takes", rates[name], "rows/s")
        say("", of)


@contextmanager
def counted(writer: Writer) -> Iterator[dict[str, int]]:
    """Count the rows that the store of *writer* is given, by read model."""
    rows: dict[str, int] = defaultdict(int)
    given = writer.store.write

    def write(copy: Copy, changes: Sequence[RowChange], newest: int) -> Any:
        rows[copy.read_model] += len(changes)
        refusals = given(copy, changes, newest)
        assert not refusals, refusals
        return refusals

    writer.store.write = write  # type: ignore[method-assign]
    yield rows
    del writer.store.write


def settle(writer: Writer) -> float:
    """
    Give turns until all copies are certified; return the seconds that it took.

    No pause is made between turns. A store that is away for a moment is tried again.
    """
    begun, started = time.time(), time.perf_counter()
    writer.next_orders = float("-inf")
    while True:
        for feeder in writer.feeders:
            feeder.next_certificate = feeder.rests_until = float("-inf")
        try:
            has_more = writer.turn() == 0
        except (StoreAway, CopyMoved) as error:
            has_more = True
            time.sleep(min(writer.rest_after(error), 0.5))
        if not has_more and have_all(writer, begun):
            return time.perf_counter() - started
        if time.perf_counter() > started + PATIENCE:
            raise RuntimeError([feeder.error for feeder in writer.feeders])
