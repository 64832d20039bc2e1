"""
What it costs a live pass to keep the changes of rows, for nobody, one and all.

    .venv/bin/python -m benchmarks.following_rows

It brings a PostgreSQL of its own with three databases: in the first no read model is
followed, in the second the list of orders, in the third all. Each gets the same events,
and they are read in turns, one pass each. Ratios are those of a turn. At the end a
customer with 100,000 orders is renamed.
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any
from uuid import uuid4

import psycopg
import sqlalchemy as sa

import readmodels
from benchmarks.fencing.cluster import Cluster, running
from benchmarks.loading.figures import percentile
from eventstore.database.installation import install
from eventstore.log.append import ANY_VERSION, append
from eventstore.log.events import Metadata, NewEvent
from eventstore.projections.following import follow
from eventstore.projections.generations import make_first_generation
from eventstore.projections.project import subscription_of
from eventstore.subscriptions.catch_up import catch_up
from eventstore.subscriptions.shared_pass import read_together
from readmodels import order_list

TUNING = {"fsync": "on", "autovacuum": "on", "max_wal_size": "8GB"}
FOLLOWED = {"none": [], "order_list": [order_list.projection], "all": readmodels.ALL}
SUBSCRIPTIONS = [subscription_of(projection, 1) for projection in readmodels.ALL]
ADDRESS = {"street": "12 Orchestra Terrace", "city": "London", "country": "UK"}
ORDERS = """
    INSERT INTO readmodels.order_list_g1 (
        order_id, customer_id, customer_name, customer_email, total, paid, refunded,
        due, credit, currency, status, item_count, parcels, created_at, city, products,
        customer_words, place_words, order_words, tracking_numbers
    )
    SELECT
        n, 'BIG', 'Alice', 'alice@example.com', total, total, 0,
        0, 0, 'EUR', 'delivered', 3, 0,
        timestamptz '2020-01-01' + (n - 999999999) * interval '9 minutes', 'London',
        '["LAMP"]', 'alice big alice example com', 'london uk', n || ' lamp', '[]'
    FROM generate_series(1000000000, 999999999 + %s) AS n
    CROSS JOIN LATERAL (SELECT (n * 7919::bigint) %% 100003 AS total) AS of_order
"""

Connection = psycopg.Connection[Any]


def main() -> None:
    options = parser().parse_args()
    with running(TUNING) as cluster:
        databases = {name: begin(cluster, name) for name in FOLLOWED}
        for size in (1, 10, 200):
            compare(databases, size, options.rounds)
        rename(databases, options.orders, options.renames)


def begin(cluster: Cluster, name: str) -> Connection:
    """Make a database with the read models, and follow some of them."""
    url = sa.make_url(cluster.url).set(drivername="postgresql")
    plain = url.render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE following_{name}")
    plain = url.set(database=f"following_{name}").render_as_string(hide_password=False)
    connection = psycopg.connect(plain, autocommit=True)
    install(connection)
    for projection in readmodels.ALL:
        with connection.transaction():
            make_first_generation(connection, projection)
    for projection in FOLLOWED[name]:
        with connection.transaction():
            follow(connection, projection)
    for customer in ("ALICE", "BIG"):
        details = {"name": "Alice", "email": f"{customer}@example.com"}
        write(
            connection, f"customer-{customer}", ("CustomerRegistered", "1.0", details)
        )
    read_together(connection, SUBSCRIPTIONS)
    return connection


def write(
    connection: Connection, stream_id: str, *events: tuple[str, str, Any]
) -> None:
    cause = uuid4()
    new = [
        NewEvent(
            type=type_,
            data=json.dumps(data),
            metadata=Metadata(
                event_id=uuid4(),
                correlation_id=cause,
                causation_id=cause,
                schema=schema,
                actor="local",
            ),
        )
        for type_, schema, data in events
    ]
    append(
        connection,
        [(stream_id, event) for event in new],
        expected={stream_id: ANY_VERSION},
    )


def life_of(number: int) -> list[tuple[str, str, Any]]:
    """Return the events of an order, by type, schema and data."""
    lamp = {"product": f"LAMP-{number % 50}", "quantity": 2, "unit_price": 4_950}
    order = {
        "customer_id": "ALICE",
        "items": [{"number": place, **lamp} for place in (1, 2, 3)],
        "discount": "0",
        "freight": 0,
        "total": 29_700,
        "terms": None,
        "address": ADDRESS,
        "currency": "EUR",
    }
    return [
        ("OrderCreated", "3.0", order),
        ("PaymentReceived", "2.0", {"payment": 1, "amount": 29_700}),
        ("OrderShipped", "1.0", {"tracking_no": f"JD{number}"}),
        ("DeliveryConfirmed", "1.0", {"delivered_at": "2026-12-24T00:00:00Z"}),
    ]


def compare(databases: dict[str, Connection], size: int, rounds: int) -> None:
    """Read *size* new events in one pass of each database, in turns."""
    taken: dict[str, list[float]] = {name: [] for name in databases}
    warm = 20
    count = rounds + warm if size < 200 else rounds // 4 + 5
    lives = [
        (number, event)
        for number in range(1, count * size // 4 + 2)
        for event in life_of(number)
    ]
    names = list(databases)
    for turn in range(count):
        some = lives[turn * size : (turn + 1) * size]
        for name in names[turn % 3 :] + names[: turn % 3]:
            for number, event in some:
                write(databases[name], f"order-{size * 100_000 + number}", event)
            started = time.perf_counter()
            done = read_together(databases[name], SUBSCRIPTIONS)
            taken[name].append(time.perf_counter() - started)
            assert done.error is None
    report(f"{size} events", taken, 5 if size == 200 else warm)


def rename(databases: dict[str, Connection], orders: int, rounds: int) -> None:
    """Rename the customer of *orders* rows of the list, in turns."""
    subscription = subscription_of(order_list.projection, 1)
    for connection in databases.values():
        connection.execute(ORDERS, (orders,))
        connection.execute("VACUUM ANALYZE")
    taken: dict[str, list[float]] = {name: [] for name in databases}
    names = list(databases)
    for turn in range(rounds + 1):
        for name in names[turn % 3 :] + names[: turn % 3]:
            details = {"name": f"Alice {turn}", "email": "alice@example.com"}
            event = ("CustomerDetailsChanged", "1.0", details)
            write(databases[name], "customer-BIG", event)
            databases[name].execute("CHECKPOINT")
            started = time.perf_counter()
            done = catch_up(databases[name], subscription)
            taken[name].append(time.perf_counter() - started)
            assert done.error is None
            databases[name].execute("VACUUM")
    report(f"a rename of {orders:,} rows", taken, 1)


def report(what: str, taken: Mapping[str, Sequence[float]], warm: int) -> None:
    base = taken["none"][warm:]
    print(f"{what}, {len(base)} turns:")
    for name, all_of_them in taken.items():
        some = all_of_them[warm:]
        ratios = [one / other for one, other in zip(some, base, strict=True)]
        print(
            f"  {name:12} p50 {median(some) * 1000:8.2f} ms"
            f"  p95 {percentile(some, 95) * 1000:8.2f} ms"
            f"  / none: median {median(ratios):.3f},"
            f" of the medians {median(some) / median(base):.3f}",
            flush=True,
        )


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--renames", type=int, default=5)
    return parser


if __name__ == "__main__":
    main()
