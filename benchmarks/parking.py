"""
A log of a million events, of which one stream in a thousand cannot be projected.

    .venv/bin/python -m benchmarks.parking --orders 333000 --at-once 10000

It brings a PostgreSQL of its own. The list of orders fails on what is called BAD. It
prints how soon the other orders are right, how long another read model is kept waiting
while ten thousand streams are parked at once, how long it takes to try them once more,
with two processes that are killed in it, and how many rows then differ from those of a
rebuild.
"""

import argparse
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg

from benchmarks.fencing.cluster import Cluster, running
from benchmarks.loading.figures import percentile
from domain.orders.events import OrderShipped
from eventstore.projections.generations import make_first_generation
from eventstore.projections.parked_streams import count_parked
from eventstore.projections.parking import Parker
from eventstore.projections.projection import Fact, LookedUp, Projection
from eventstore.rebuilding.rebuild import rebuild
from eventstore.rebuilding.retrying import RetryResult, retry_parked
from eventstore.subscriptions.catch_up import catch_up
from eventstore.subscriptions.reader import Reader
from readmodels import customers, order_list

TUNING = {"fsync": "on", "autovacuum": "on", "max_wal_size": "8GB"}
CUSTOMERS = 1_000
SHOPPING_LIST = """
    INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
    SELECT
        stream_id, type, version, data,
        jsonb_build_object(
            'event_id', id, 'correlation_id', id, 'causation_id', id, 'actor', 'bench',
            'schema', schema, 'recorded_at', clock_timestamp()
        ),
        clock_timestamp()
    FROM ({events}) AS made (stream_id, type, version, schema, data)
    CROSS JOIN LATERAL (SELECT gen_random_uuid() AS id, version AS of_each) AS drawn
"""
REGISTERED = """
    SELECT
        'customer-C' || n, 'CustomerRegistered', 1, '1.0',
        jsonb_build_object('name', 'No ' || n, 'email', 'c' || n || '@example.com')
    FROM generate_series(0, {last}) AS n
"""
CREATED = """
    SELECT
        'order-' || n, 'OrderCreated', 1, '3.0',
        jsonb_build_object(
            'customer_id', 'C' || n % {customers}, 'items', jsonb_build_array(
                jsonb_build_object(
                    'number', 1, 'product', 'LAMP', 'quantity', 2, 'unit_price', 990,
                    'discount', '0'
                )
            ),
            'discount', '0', 'freight', 0, 'total', 1980, 'terms', NULL,
            'currency', 'EUR', 'address',
            jsonb_build_object('street', 'Road 1', 'city', 'London', 'country', 'UK')
        )
    FROM generate_series({first}, {last}) AS n
"""
PAID = """
    SELECT
        'order-' || n, 'PaymentReceived', 2, '2.0',
        '{{"payment": 1, "amount": 1980}}'::jsonb
    FROM generate_series({first}, {last}) AS n
"""
SHIPPED = """
    SELECT
        'order-' || n, 'OrderShipped', 3, '1.0', jsonb_build_object(
            'tracking_no', CASE WHEN n % {every} = 0 THEN 'BAD' ELSE 'JD' || n END
        )
    FROM generate_series({first}, {last}) AS n
"""


def fold(row: Any, fact: Fact, looked_up: LookedUp) -> Any:
    if isinstance(fact.event, OrderShipped) and fact.event.tracking_no == "BAD":
        raise ValueError("bad")
    return order_list.fold(row, fact, looked_up)


MENDED = order_list.projection
BAD = replace(MENDED, fold=fold)


def main() -> None:
    parser = argparse.ArgumentParser(prog="parking", description=__doc__)
    parser.add_argument("--orders", type=int, default=333_000)
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--at-once", type=int, default=10_000)
    options = parser.parse_args()
    with running(TUNING) as cluster:
        make_read_models(cluster, MENDED, customers.projection)
        measure(cluster, options)


def make_read_models(cluster: Cluster, *projections: Projection) -> None:
    """Make the engine's tables, and those of read models without rows."""
    cluster.install()
    with cluster.connect() as connection:
        for projection in projections:
            with connection.transaction():
                make_first_generation(connection, projection)


def measure(cluster: Cluster, options: argparse.Namespace) -> None:
    live = options.batches * 1_000
    # Every third of them: more would be the code's fault.
    at_once = range(options.orders - options.at_once * 3, options.orders)
    first_live = at_once.start - live
    with cluster.connect() as connection:
        write(connection, REGISTERED, last=CUSTOMERS - 1)
        write(connection, CREATED, first=1, last=at_once[-1], customers=CUSTOMERS)
        write(connection, PAID, first=1, last=at_once[-1])
        write(connection, SHIPPED, first=1, last=first_live - 1, every=1_000)
        connection.execute("VACUUM ANALYZE events")
        started = time.monotonic()
        for projection in (BAD, customers.projection):
            subscription = Parker().subscription_of(projection, 1)
            catch_up(connection, replace(subscription, batch=2_000))
        print(f"read so far     {last(connection):,} events in {since(started)} s")
        with reading(cluster, BAD):
            took = []
            for start in range(first_live, at_once.start, 1_000):
                started = time.monotonic()
                end = start + 999
                write(connection, SHIPPED, first=start, last=end, every=1_000)
                wait_for(connection, "order_list_g1")
                took.append(time.monotonic() - started)
                wrong = connection.execute(
                    "SELECT count(*) FROM readmodels.order_list WHERE order_id"
                    " BETWEEN %s AND %s AND status <> 'shipped'",
                    (start, end),
                ).fetchone()
                assert wrong == (1,), wrong
            print(
                f"999 are right   within {max(took):.2f} s, p50"
                f" {percentile(took, 50):.2f} s: {len(took)} times a thousand shipped"
            )

            started = time.monotonic()
            write(connection, SHIPPED, first=at_once[0], last=at_once[-1], every=3)
            lags = [followed(connection, options.orders + n) for n in range(20)]
            wait_for(connection, "order_list_g1")
            print(f"{options.at_once:,} at once  parked after {since(started)} s")
            print(f"others' lag     at most {max(lags):.2f} s meanwhile")
        parked = count_parked(connection)["order_list"].number
        started = time.monotonic()
        for _ in range(2):
            killed = multiprocessing.Process(target=retry_and_die, args=(cluster.url,))
            killed.start()
            killed.join()
            assert killed.exitcode == -signal.SIGKILL
        left = count_parked(connection)["order_list"].number
        done = retry_parked(connection, MENDED)
        print(
            f"tried again     {parked:,} streams in {since(started)} s, killed twice,"
            f" with {left:,} left then; {done.parked} parked still"
        )
        started = time.monotonic()
        rebuild(connection, MENDED)
        print(f"rebuilt         in {since(started)} s; rows that differ:", end=" ")
        print(differences(connection))


def write(connection: psycopg.Connection[Any], events: str, **values: int) -> None:
    made = events.format(**values)
    connection.execute(SHOPPING_LIST.format(events=made).encode())


def last(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT max(id) FROM events").fetchone()
    assert row is not None
    return int(row[0])


def wait_for(connection: psycopg.Connection[Any], name: str) -> None:
    """Wait until a subscription has read all there is now."""
    goal = last(connection)
    while True:
        row = connection.execute(
            "SELECT checkpoint, error FROM subscriptions WHERE name = %s", (name,)
        ).fetchone()
        assert row is not None
        assert row[1] is None, row
        if row[0] >= goal:
            return
        time.sleep(0.01)


def followed(connection: psycopg.Connection[Any], order: int) -> float:
    """Place an order; return the seconds until another read model shows it."""
    started = time.monotonic()
    write(connection, CREATED, first=order, last=order, customers=CUSTOMERS)
    wait_for(connection, "customers_g1")
    return time.monotonic() - started


@contextmanager
def reading(cluster: Cluster, projection: Projection) -> Iterator[None]:
    """Have a process read on, as a worker does, while this block runs."""
    reader = multiprocessing.Process(
        target=read_on, args=(cluster.url, projection.fold)
    )
    reader.start()
    try:
        yield
    finally:
        reader.kill()
        reader.join()


def read_on(url: str, fold: Any) -> None:
    parker = Parker()
    with psycopg.connect(url, autocommit=True) as connection:
        subscriptions = [
            parker.subscription_of(one, 1)
            for one in (replace(MENDED, fold=fold), customers.projection)
        ]
        reader = Reader(connection)
        while True:
            reader.begin(subscriptions)
            done = reader.read(subscriptions)
            reader.end()
            if not any(done.handled.values()) and not done.to_read_alone:
                time.sleep(0.005)


def retry_and_die(url: str) -> None:
    """Try again what is parked, and be killed after a while."""

    def show(done: RetryResult, wanted: int) -> None:
        if done.mended >= wanted // 3:
            os.kill(os.getpid(), signal.SIGKILL)

    with psycopg.connect(url, autocommit=True) as connection:
        threading.Timer(300, os.abort).start()
        retry_parked(connection, MENDED, show=show)


def since(started: float) -> str:
    return f"{time.monotonic() - started:.1f}"


def differences(connection: psycopg.Connection[Any]) -> int:
    """Return how many rows the two generations do not have in common."""
    row = connection.execute(
        """
        SELECT count(*) FROM (
            (TABLE readmodels.order_list_g1 EXCEPT TABLE readmodels.order_list_g2)
            UNION ALL
            (TABLE readmodels.order_list_g2 EXCEPT TABLE readmodels.order_list_g1)
        ) AS different
        """
    ).fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    main()
