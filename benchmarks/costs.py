"""
What shapes, encryption and snapshots cost, each beside the same without.

    .venv/bin/python -m benchmarks.costs

Rounds take turns, and a ratio is of what was measured in the same round. It brings a
PostgreSQL of its own, and uses the shop's own customers and orders.
"""

import argparse
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg

from benchmarks.fencing.cluster import running
from benchmarks.shop_streams import (
    ORDER,
    a_customer,
    an_order,
    as_of_version_1,
    change,
    grow,
    recorded,
    register,
    take,
)
from domain.orders.events import OrderCreated
from eventstore.aggregates.decider import Deciders
from eventstore.aggregates.loading import load
from eventstore.encryption.keys import MasterKeys
from eventstore.log.codec import EventCodec
from eventstore.log.events import RecordedEvent
from tasks.shop.deciders import CUSTOMERS, ORDERS

MASTERS = MasterKeys(b"of no use outside of benchmarks!")
LENGTHS = (10, 25, 50, 100, 200, 400)

Call = Callable[[], object]


class Measured(NamedTuple):
    """Seconds of each of a pair, and their ratio, as medians of the rounds."""

    one: float
    other: float
    ratio: float


def main() -> None:
    parser = argparse.ArgumentParser(prog="costs", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    upcasting(rounds)
    with server() as connection:
        encryption(connection, rounds)
        snapshots(connection, rounds)


@contextmanager
def server() -> Iterator[psycopg.Connection[Any]]:
    with running({"fsync": "on", "synchronous_commit": "on"}) as cluster:
        cluster.install()
        with cluster.connect() as connection:
            yield connection


def in_turns(one: Call, other: Call, rounds: int, times: int = 1) -> Measured:
    """Measure two calls in turns, each so many *times* a round."""
    pairs = []
    for number in range(rounds + 1):
        calls = (one, other) if number % 2 else (other, one)
        taken = {call: seconds_of(call, times) for call in calls}
        pairs.append((taken[one], taken[other]))
    # The first round is for caches to fill.
    pairs = pairs[1:]
    return Measured(
        median(a for a, _ in pairs),
        median(b for _, b in pairs),
        median(a / b for a, b in pairs),
    )


def seconds_of(call: Call, times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - started) / times


def upcasting(rounds: int) -> None:
    """Read events of today by a codec that has upcasters, and by one that has none."""
    plain = EventCodec(
        [type("OrderCreated", (OrderCreated,), {"schema_version": "1.0"})]
    )
    today = [recorded(ORDER, "3.0")] * 20_000
    without = [recorded(ORDER, "1.0")] * 20_000
    old = [as_of_version_1(today[0])] * 20_000

    def reading(codec: EventCodec, events: Sequence[RecordedEvent]) -> Call:
        return lambda: [codec.read(event) for event in events]

    with_upcasters = reading(ORDERS.events, today)
    measured = in_turns(with_upcasters, reading(plain, without), rounds)
    show("reading 20,000 orders, upcasters known / none known", measured)
    measured = in_turns(reading(ORDERS.events, old), with_upcasters, rounds)
    show("reading 20,000 orders of version 1 / of today", measured)


def encryption(connection: psycopg.Connection[Any], rounds: int) -> None:
    """Write and load customers, of whom every field is personal, with and without."""
    secret = b"a secret of the benchmarks"
    closed = Deciders([CUSTOMERS], MASTERS).keyed(secret)
    clear = Deciders([CUSTOMERS]).keyed(secret)

    def registering(deciders: Deciders) -> Call:
        return lambda: register(connection, deciders, f"a{uuid4().hex[:12]}")

    show(
        "registering a customer, encrypted / in the clear",
        in_turns(registering(closed), registering(clear), rounds, 100),
    )
    streams: dict[str, str] = {}
    for name, deciders in (("closed", closed), ("clear", clear)):
        customer = f"{name}{uuid4().hex[:6]}"
        streams[name] = f"customer-{customer}"
        grow(connection, deciders, customer, 100)

    def changing(deciders: Deciders, name: str) -> Call:
        return lambda: change(connection, deciders, streams[name])

    show(
        "changing a customer of 100 events and more, encrypted / in the clear",
        in_turns(changing(closed, "closed"), changing(clear, "clear"), rounds, 20),
    )
    show(
        "loading the same, encrypted / in the clear",
        in_turns(
            lambda: load(connection, [streams["closed"]], closed),
            lambda: load(connection, [streams["clear"]], clear),
            rounds,
            20,
        ),
    )


def snapshots(connection: psycopg.Connection[Any], rounds: int) -> None:
    """
    Load streams with a snapshot at their end, and without one: what does it save?

    What it costs to read a snapshot, and an event, tells how many events one must save
    to pay. And what it costs to take one, at which distance a load for each event and a
    snapshot now and then cost least: a stream has half of it to read.
    """
    deciders = Deciders([CUSTOMERS, ORDERS], MASTERS).keyed(b"a secret of benchmarks")
    for category, make in (("customer", a_customer), ("order", an_order)):
        saved: Mapping[int, Measured] = {
            length: pair_of(
                connection, deciders, make(connection, deciders, length), rounds
            )
            for length in LENGTHS
        }
        for length, measured in saved.items():
            show(
                f"loading {category} of {length} events, by snapshot / in full",
                measured,
            )
        longest, shortest = saved[LENGTHS[-1]], saved[LENGTHS[0]]
        an_event = (longest.other - shortest.other) / (LENGTHS[-1] - LENGTHS[0])
        fixed = shortest.other - LENGTHS[0] * an_event
        a_snapshot = median(m.one for m in saved.values()) - fixed
        stream_id = make(connection, deciders, 50)
        taking = seconds_of(partial(take, connection, deciders, stream_id), 20)
        print(
            f"{category}: an event takes {an_event * 1e6:.1f} us, a snapshot"
            f" {a_snapshot * 1e6:.0f} us more than no event: it pays from"
            f" {a_snapshot / an_event:.0f} events on; to take one takes"
            f" {taking * 1e6:.0f} us: they cost least every"
            f" {math.sqrt(2 * taking / an_event):.0f} events"
        )


def pair_of(
    connection: psycopg.Connection[Any], deciders: Deciders, stream_id: str, rounds: int
) -> Measured:
    return in_turns(
        lambda: load(connection, [stream_id], deciders),
        lambda: read_in_full(connection, stream_id, deciders),
        rounds,
        20,
    )


def read_in_full(
    connection: psycopg.Connection[Any], stream_id: str, deciders: Deciders
) -> object:
    return load(connection, [stream_id + "b"], deciders)


def show(what: str, measured: Measured) -> None:
    print(
        f"{what}: {measured.one * 1e3:.3f} ms / {measured.other * 1e3:.3f} ms"
        f" = {measured.ratio:.2f}"
    )


if __name__ == "__main__":
    main()
