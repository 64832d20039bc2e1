"""
How long sealing and verifying take: a million events, made by one INSERT.

    python benchmarks/verify.py --events 1000000

It makes a database of its own on the server of DATABASE_URL, and drops it.
"""

import argparse
import os
import resource
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

sys.path.insert(0, os.fspath(Path(__file__).resolve().parents[1]))

from eventstore.aggregates.decider import Deciders
from eventstore.connection import driver_connection
from eventstore.database.installation import install
from eventstore.seals.seals import seal_log
from eventstore.verifying.checks import all_checks
from eventstore.verifying.seals import SealedExtent
from tasks.shop.deciders import CUSTOMERS, ORDERS
from tasks.shop.setting_values import database_url

# Five events an order, each by a command of its own, as long as those of the shop.
MAKE = """
    INSERT INTO public.commands
        (id, stream_id, type, data, metadata, principal, fingerprint, status, position)
    SELECT
        md5(i::text)::uuid, 'order-' || 1 + (i - 1) / 5, 'PlaceOrder', '{}', '{}',
        'local', '', 'succeeded', i
    FROM generate_series(1, %(events)s) AS i;

    INSERT INTO public.events (stream_id, type, version, data, metadata, occurred_at)
    SELECT
        'order-' || 1 + (i - 1) / 5,
        (ARRAY['OrderCreated', 'PaymentReceived', 'OrderShipped'])[1 + i %% 3],
        1 + (i - 1) %% 5,
        jsonb_build_object(
            'customer_id', 'ALICE' || i %% 91, 'total', i * 3, 'currency', 'EUR',
            'items', jsonb_build_array(jsonb_build_object(
                'product', 'RETRO-CLOCK', 'quantity', i %% 7, 'unit_price', 4950,
                'discount', '0.05'
            ))
        ),
        jsonb_build_object(
            'event_id', gen_random_uuid(), 'correlation_id', gen_random_uuid(),
            'causation_id', md5(i::text)::uuid, 'command_id', md5(i::text)::uuid,
            'schema', '1.0', 'actor', 'local', 'recorded_at', clock_timestamp()
        ),
        clock_timestamp()
    FROM generate_series(1, %(events)s) AS i;
"""


@contextmanager
def new_database() -> Iterator[psycopg.Connection[Any]]:
    """Lend a connection to a database with the engine in it and nothing else."""
    server = sa.make_url(database_url(os.environ["DATABASE_URL"]))
    name = f"verify_{uuid.uuid4().hex[:12]}"
    outer = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with outer.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    engine = sa.create_engine(server.set(database=name))
    try:
        with engine.begin() as connection:
            install(connection)
        autocommitting = engine.execution_options(isolation_level="AUTOCOMMIT")
        with autocommitting.connect() as connection:
            yield driver_connection(connection)
    finally:
        engine.dispose()
        with outer.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        outer.dispose()


@contextmanager
def timed(label: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    print(f"{label:28}{time.perf_counter() - started:8.1f} s", flush=True)


def run(connection: psycopg.Connection[Any], events: int, stretch: int) -> None:
    with timed(f"making {events:,}"):
        with psycopg.ClientCursor(connection) as cursor:
            cursor.execute(MAKE, {"events": events})
        connection.execute("VACUUM ANALYZE events, commands")
    with timed("sealing"):
        seal_log(connection, stretch=stretch)
    found = 0
    with timed("verifying all of it"):
        vouching = SealedExtent()
        for check in all_checks(Deciders([CUSTOMERS, ORDERS]), vouching):
            with timed(f"  {check.name}"):
                found += sum(1 for _ in check.find(connection, lambda _: None))
    sizes = connection.execute(
        """
        SELECT
            pg_size_pretty(pg_total_relation_size('events')),
            pg_size_pretty(pg_total_relation_size('seals')),
            (SELECT count(*) FROM seals)
        """
    ).fetchone()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"events and seals, and how many seals: {sizes}")
    print(f"found {found}, vouched up to {vouching.up_to:,}, memory {memory} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--stretch", type=int, default=1_000)
    arguments = parser.parse_args()
    with new_database() as connection:
        run(connection, arguments.events, arguments.stretch)
