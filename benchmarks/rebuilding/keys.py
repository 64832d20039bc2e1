"""
Rows made once more from their streams, held against full rebuilds of random histories.

Each row is changed or deleted first. Exit status 0 is: all of them are what the rebuild
of their history makes, and nothing else has changed.
"""

import argparse
import time
from random import Random
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.fencing.cluster import running
from benchmarks.folding import TUNING
from eventstore.log.read import settled
from eventstore.projections.generations import (
    make_tables,
    put_live,
)
from eventstore.projections.projection import Key, Projection
from eventstore.projections.table import Table
from eventstore.projections.tables import tables_of
from eventstore.rebuilding.filling import filling_of, read_up_to
from eventstore.rebuilding.one_row import recompute_row
from eventstore.rebuilding.parts import Part
from readmodels import ALL
from tests.support.shop_histories import ShopHistory

MODELS = [projection for projection in ALL if projection.streams]
EVENTS = 200
ROWS_OF_A_HISTORY = 50
"""In all read models together: so ten thousand rows are two hundred histories."""


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)


def measure(options: argparse.Namespace) -> int:
    done, wrong, seed = 0, [], options.seed
    started, spent = time.monotonic(), 0.0
    tuning = {"fsync": "off", "idle_in_transaction_session_timeout": "0"}
    with running({**TUNING, **tuning}) as cluster:
        cluster.install()
        with cluster.connect() as connection:
            while done < options.rows:
                tried, seconds, found = try_history(connection, seed)
                done, spent, seed = done + tried, spent + seconds, seed + 1
                wrong += found
    print(f"rows        {done:,} of {seed - options.seed:,} histories")
    print(f"wrong       {len(wrong)} {wrong[:5]}")
    print(f"a row       {spent / done * 1000:.1f} ms")
    print(f"seconds     {time.monotonic() - started:.0f}")
    return 1 if wrong else 0


def try_history(
    connection: psycopg.Connection[Any], seed: int
) -> tuple[int, float, list[str]]:
    """Return how many rows were tried, the seconds that they took, and the wrong."""
    begin_again(connection)
    chance = Random(seed)
    ShopHistory.of(seed).append(connection, EVENTS)
    goal, wrong, done, spent = settled(connection), [], 0, 0.0
    for projection in MODELS:
        tables = make_tables(connection, projection, 1)
        put_live(connection, projection, 1)
        read_up_to(connection, filling_of(Part(projection, 1)), goal, lambda _: None)
        expected = all_rows(connection, tables.rows)
        most = max(ROWS_OF_A_HISTORY // len(MODELS), 1)
        for key in chance.sample(list(expected), min(most, len(expected))):
            spoil(connection, projection, key, chance)
            began = time.monotonic()
            recompute_row(connection, projection, str(key))
            spent += time.monotonic() - began
            done += 1
            if all_rows(connection, tables.rows) != expected:
                wrong.append(f"seed {seed} {projection.name} {key}")
    return done, spent, wrong


def begin_again(connection: psycopg.Connection[Any]) -> None:
    connection.execute(
        """
        ALTER TABLE events DISABLE TRIGGER events_refuse_change;
        DELETE FROM events;
        ALTER TABLE events ENABLE ALWAYS TRIGGER events_refuse_change;
        SELECT setval('events_id_seq', 1, false);
        DROP SCHEMA IF EXISTS readmodels CASCADE;
        DELETE FROM generations;
        DELETE FROM subscriptions;
        DELETE FROM fillings;
        """
    )


def all_rows(connection: psycopg.Connection[Any], table: Table) -> dict[Key, Any]:
    keys = connection.execute(
        sql.SQL("SELECT {} FROM {}").format(sql.Identifier(table.key), table.identifier)
    ).fetchall()
    return table.loaded(table.load([key for (key,) in keys]).send(connection))


def spoil(
    connection: psycopg.Connection[Any],
    projection: Projection,
    key: Key,
    chance: Random,
) -> None:
    """Change a number of a row, or delete the row if a stream is called after it."""
    table = tables_of(projection, 1).rows
    column = next(
        one
        for one in table.columns.values()
        if one.kind == "bigint" and one.name != table.key
    )
    may_delete = projection.stream_of(key) is not None
    text = "UPDATE {table} SET {column} = {column} + 1 WHERE {key} = %s"
    if may_delete and chance.random() < 0.5:
        text = "DELETE FROM {table} WHERE {key} = %s"
    connection.execute(
        sql.SQL(text).format(
            table=table.identifier,
            key=sql.Identifier(table.key),
            column=column.identifier,
        ),
        (key,),
    )
