"""
How long the others wait for a read model that fails.

    .venv/bin/python -m benchmarks.isolation --seconds 10

It brings a PostgreSQL of its own, two processes that read in turns, and a writer of
twenty orders a second. The list of orders folds well, raises, is slow, ends its
process, or has lost its table; printed is how long a new order took until it was in
`ordered_products`.
"""

import argparse
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import psycopg

from benchmarks.fencing.cluster import Cluster, running
from benchmarks.loading.figures import percentile
from benchmarks.parking import (
    CREATED,
    CUSTOMERS,
    REGISTERED,
    TUNING,
    make_read_models,
    write,
)
from eventstore.projections.parking import Parker
from eventstore.subscriptions.reader import Reader
from readmodels import order_list, ordered_products

RATE = 20
"""Orders a second."""
SECONDS_BETWEEN_LOOKS = 0.005


def raises(*_: Any) -> Any:
    raise ValueError("bad")


def is_slow(*arguments: Any) -> Any:
    time.sleep(0.2)
    return order_list.fold(*arguments)


def kills(*_: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


WAYS = {
    "folds well": order_list.fold,
    "raises on each event": raises,
    "takes 0.2 s an event": is_slow,
    "kills its process": kills,
    "its table is dropped": order_list.fold,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="isolation", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    print(
        "| The list of orders | p50 ms | p99 ms | longest |\n| --- | --- | --- | --- |"
    )
    for way in WAYS:
        with running(TUNING) as cluster:
            waits = measure(cluster, way, options.seconds)
        figures = [percentile(waits, 50), percentile(waits, 99), max(waits)]
        print(f"| {way} |", " | ".join(f"{s * 1000:.0f}" for s in figures), "|")


def measure(cluster: Cluster, way: str, seconds: float) -> list[float]:
    """Return the seconds that each order took until it was in `ordered_products`."""
    make_read_models(cluster, order_list.projection, ordered_products.projection)
    with cluster.connect() as writer:
        write(writer, REGISTERED, last=CUSTOMERS - 1)
        write(writer, CREATED, first=1, last=50, customers=CUSTOMERS)
        if way == "its table is dropped":
            writer.execute("DROP TABLE readmodels.order_list_g1 CASCADE")
        waits = []
        with reading(cluster.url, way):
            wait_for(writer)
            for number in range(int(seconds * RATE)):
                started = time.monotonic()
                write(
                    writer, CREATED, first=100 + number, last=100 + number, customers=9
                )
                wait_for(writer)
                waits.append(time.monotonic() - started)
                time.sleep(max(1 / RATE - waits[-1], 0))
    return waits


def wait_for(connection: psycopg.Connection[Any]) -> None:
    """Wait until `ordered_products` has read all there is now."""
    while connection.execute(
        "SELECT (SELECT max(id) FROM events) > checkpoint FROM subscriptions"
        " WHERE name = 'ordered_products_g1'"
    ).fetchone() == (True,):
        time.sleep(0.001)


@contextmanager
def reading(url: str, way: str) -> Iterator[None]:
    """Have two processes read in turns; one that has ended is started again."""
    keepers = [multiprocessing.Process(target=keep, args=(url, way)) for _ in range(2)]
    for keeper in keepers:
        keeper.start()
    try:
        yield
    finally:
        for keeper in keepers:
            keeper.terminate()
            keeper.join()


def keep(url: str, way: str) -> None:
    child = None

    def stop(*_: object) -> None:
        if child is not None:
            child.kill()
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    while True:
        child = multiprocessing.Process(target=read_on, args=(url, way))
        child.start()
        child.join()


def read_on(url: str, way: str) -> None:
    parker = Parker()
    list_of_orders = replace(order_list.projection, fold=WAYS[way])
    with psycopg.connect(url, autocommit=True) as connection:
        subscriptions = [
            parker.subscription_of(one, 1)
            for one in (list_of_orders, ordered_products.projection)
        ]
        reader = Reader(connection)
        while True:
            reader.begin(subscriptions)
            done = reader.read(subscriptions)
            reader.end()
            if not any(done.handled.values()):
                time.sleep(SECONDS_BETWEEN_LOOKS)


if __name__ == "__main__":
    main()
