"""
Events a second of a filling, beside reading the same by catching up.

A PostgreSQL of its own has the events of that many orders, in the clear. A filling with
one process is timed within this process; with two it is a whole rebuild, whose
comparison, indexes and swap are left out of the time.
"""

import argparse
import time
from dataclasses import replace
from typing import Any

import psycopg

from benchmarks.fencing.cluster import running
from benchmarks.folding import TUNING, fill
from benchmarks.parking import CUSTOMERS
from eventstore.log.read import settled
from eventstore.projections.generations import drop_generation, make_tables
from eventstore.projections.project import subscription_of
from eventstore.projections.projection import Projection
from eventstore.rebuilding.filling import filling_of, read_up_to
from eventstore.rebuilding.parts import Part
from eventstore.rebuilding.rebuild import rebuild
from eventstore.subscriptions.catch_up import catch_up
from readmodels import ALL

BATCH_BEFORE = 2_000
"""Events a transaction, as rebuilds had them when they caught up."""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--orders", type=int, default=20_000)
    parser.add_argument("--models", default="order_list,order_details,customers")


def measure(options: argparse.Namespace) -> int:
    by_name = {projection.name: projection for projection in ALL}
    with running({**TUNING, "idle_in_transaction_session_timeout": "0"}) as cluster:
        cluster.install()
        with cluster.connect() as connection:
            fill(connection, options.orders)
            events = options.orders * 3 + CUSTOMERS
            print(f"{events:,} events; events a second of the clock")
            print(f"{'':16} {'caught up':>12} {'filled':>12} {'by two':>12}")
            for name in options.models.split(","):
                rates = [
                    events / seconds for seconds in times(connection, by_name[name])
                ]
                print(f"{name:16}", *(f"{rate:12,.0f}" for rate in rates), flush=True)
    return 0


def times(
    connection: psycopg.Connection[Any], projection: Projection
) -> tuple[float, float, float]:
    """Return the seconds of catching up, of a filling, and of two processes."""
    begin(connection, projection)
    started = time.monotonic()
    before = replace(subscription_of(projection, 1), batch=BATCH_BEFORE)
    reached = catch_up(connection, before)
    assert reached.error is None, reached
    caught_up = time.monotonic() - started
    begin(connection, projection)
    started = time.monotonic()
    goal = settled(connection)
    read_up_to(connection, filling_of(Part(projection, 1)), goal, lambda _: None)
    filled = time.monotonic() - started
    drop_generation(connection, projection.name, 1)
    turns: list[tuple[float, str]] = [(time.monotonic(), "filling")]
    rebuild(
        connection,
        projection,
        processes=2,
        show=lambda progress: turns.append((time.monotonic(), progress.phase)),
    )
    end = next(at for at, phase in turns if phase == "comparing")
    connection.execute("DROP SCHEMA readmodels CASCADE")
    connection.execute("DELETE FROM generations")
    connection.execute("DELETE FROM subscriptions")
    return caught_up, filled, end - turns[0][0]


def begin(connection: psycopg.Connection[Any], projection: Projection) -> None:
    drop_generation(connection, projection.name, 1)
    tables = make_tables(connection, projection, 1)
    tables.rows.create_indexes(connection, are_early=True)
