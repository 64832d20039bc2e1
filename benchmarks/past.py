"""
How long it takes to see a list as of a moment: the first time, and again.

    .venv/bin/python -m benchmarks.past --orders 100000 --moments 10

It brings a PostgreSQL of its own with the events of that many orders over two years, in
the clear, in the order of their times; an order is paid a day after it was placed and
shipped two days later, and one customer of twenty is renamed. Moments are of the last
year. A look is the first page of the list; a first look also makes its copy, from the
live rows where that is less to do.
"""

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg
import sqlalchemy as sa

from benchmarks.fencing.cluster import running
from benchmarks.folding import CREATED, REGISTERED
from benchmarks.loading.figures import percentile
from benchmarks.parking import PAID, SHIPPED
from eventstore.past.dropping import drop_copies
from eventstore.past.filler import Bounds, Filler
from eventstore.past.moments import resolve_moment
from eventstore.past.registry import find_right
from eventstore.past.wishes import want_copy
from eventstore.projections.fold_version import fold_version
from eventstore.projections.generations import make_first_generation
from eventstore.projections.project import subscription_of
from eventstore.projections.projection import Projection
from eventstore.projections.tables import name_of
from eventstore.subscriptions.catch_up import catch_up
from readmodels import customers, order_list
from webapp.past.renaming import rename_tables

TUNING = {
    "fsync": "on",
    "max_wal_size": "8GB",
    "shared_buffers": "512MB",
    "idle_in_transaction_session_timeout": "0",
}
DAYS = 730
LIVE = "by chance, each from the live rows"
RENAMED = (
    REGISTERED.replace("CustomerRegistered', 1", "CustomerDetailsChanged', 2").replace(
        "'name', name,", "'name', name || ' II',"
    )
    + " WHERE n % 20 = 0"
)
STAGED = """
    INSERT INTO staged SELECT
        made.*,
        timestamptz '2024-01-01' + interval '{days} days' * {share}
        + interval '{later} days'
    FROM ({events}) AS made (stream_id, type, version, schema, data)
"""
APPENDED = """
    INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
    SELECT
        stream_id, type, version, data,
        jsonb_build_object(
            'event_id', id, 'correlation_id', id, 'causation_id', id,
            'schema', schema, 'actor', 'bench'
        ),
        occurred_at
    FROM (
        SELECT *, gen_random_uuid() AS id FROM staged ORDER BY occurred_at, version
    ) AS s
"""


def main() -> None:
    options = parser().parse_args()
    with running(TUNING) as cluster:
        cluster.install()
        with cluster.connect() as connection:
            with connection.transaction():
                for model in (order_list, customers):
                    make_first_generation(connection, model.projection)
            fill(connection, options.orders, options.customers)
            for model in (order_list, customers):
                catch_up(
                    connection,
                    replace(subscription_of(model.projection, 1), batch=5_000),
                )
            events = connection.execute("SELECT count(*) FROM events").fetchone()
            assert events is not None
            print(f"events           {events[0]:,}, of {options.orders:,} orders")
            engine = sa.create_engine(cluster.url)
            for model in (order_list, customers):
                measure(connection, engine, model, options.moments)
            engine.dispose()


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="past", description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--customers", type=int, default=1_000)
    parser.add_argument("--moments", type=int, default=10)
    return parser


def fill(connection: psycopg.Connection[Any], orders: int, people: int) -> None:
    connection.execute(
        "CREATE TABLE staged (stream_id text, type text, version int, schema text,"
        " data jsonb, occurred_at timestamptz)"
    )
    of_order = f"substr(made.stream_id, 7)::float8 / {orders}"
    of_customer = f"substr(made.stream_id, 11)::float8 / {people}"
    for events, share, later in (
        (REGISTERED, "0", 0),
        (RENAMED, of_customer, 1),
        (CREATED, of_order, 0),
        (PAID, of_order, 1),
        (SHIPPED, of_order, 3),
    ):
        made = events.format(
            first=1,
            last=people - 1 if "customer-C" in events else orders,
            customers=people,
            every=orders + 1,
        )
        staged = STAGED.format(events=made, days=DAYS, share=share, later=later)
        connection.execute(staged.encode())
    connection.execute(APPENDED)
    connection.execute("DROP TABLE staged")
    connection.execute("VACUUM ANALYZE")


def measure(
    connection: psycopg.Connection[Any], engine: sa.Engine, model: Any, count: int
) -> None:
    chance = random.Random(17)
    moments = [datetime.fromisoformat("2025-01-01T00:00:00Z")] * count
    moments = [
        moment.replace(month=chance.randrange(1, 13), day=chance.randrange(1, 29))
        for moment in moments
    ]
    orders = ("by chance, each from the beginning", "by chance", "ascending")
    for order in (*orders, LIVE):
        drop_copies(connection)
        note_code(connection, model.projection, is_known=order == LIVE)
        filler = Filler(connection, [model.projection], None, Bounds())
        assert filler.take_turn()
        firsts, agains, sizes = [], [], []
        for moment in sorted(moments) if order == "ascending" else moments:
            if order in (orders[0], LIVE):
                drop_copies(connection)
            firsts.append(first_look(connection, filler, engine, model, moment))
            agains.append(look(connection, engine, model, moment))
            sizes.append(size_of(connection))
        filler.end_turn()
        print(f"{model.projection.name}, {order}")
        print(f"  first look     {seconds(firsts)}")
        print(f"  second look    {seconds(agains)}")
        print(f"  bytes a copy   {sum(sizes) // len(sizes):,}")


def note_code(
    connection: psycopg.Connection[Any], projection: Projection, *, is_known: bool
) -> None:
    """Note whether it is known that this code has made the live rows."""
    connection.execute(
        "UPDATE public.fillings SET fold_version = %s WHERE generation = %s",
        (fold_version(projection) if is_known else None, name_of(projection.name, 1)),
    )


def first_look(
    connection: psycopg.Connection[Any],
    filler: Filler,
    engine: sa.Engine,
    model: Any,
    at: datetime,
) -> float:
    """Return the seconds until the page is there, without the indexes behind it."""
    started = time.monotonic()
    moment = resolve_moment(connection, at=at)
    if find_right(connection, model.projection, moment) is None:
        want_copy(connection, model.projection, moment, "bench")
        filler.fill_next()
    took = read_page(connection, engine, model, at, started)
    return took - seconds_of_indexes(connection, model.projection)


def seconds_of_indexes(
    connection: psycopg.Connection[Any], projection: Projection
) -> float:
    """Return how long the copy had answered when its indexes were made."""
    row = connection.execute(
        """
        SELECT extract(epoch FROM clock_timestamp() - made_at)::float8
        FROM public.past_copies WHERE state = 'ready' AND read_model = %s
        ORDER BY number DESC LIMIT 1
        """,
        (projection.name,),
    ).fetchone()
    assert row is not None
    return float(row[0])


def look(
    connection: psycopg.Connection[Any], engine: sa.Engine, model: Any, at: datetime
) -> float:
    return read_page(connection, engine, model, at, time.monotonic())


def read_page(
    connection: psycopg.Connection[Any],
    engine: sa.Engine,
    model: Any,
    at: datetime,
    started: float,
) -> float:
    moment = resolve_moment(connection, at=at)
    copy = find_right(connection, model.projection, moment)
    assert copy is not None
    with engine.connect() as tables:
        rename_tables(tables, {copy.read_model: copy.name})
        model.find(tables, limit=50)
    return time.monotonic() - started


def size_of(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute(
        "SELECT bytes FROM public.past_copies ORDER BY number DESC LIMIT 1"
    ).fetchone()
    assert row is not None
    return int(row[0])


def seconds(taken: Sequence[float]) -> str:
    return (
        f"p50 {percentile(taken, 50) * 1000:,.0f} ms, longest"
        f" {max(taken) * 1000:,.0f} ms, of {len(taken)}"
    )


if __name__ == "__main__":
    main()
