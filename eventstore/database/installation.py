"""Install the engine's tables and functions without migrations."""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

import eventstore.access.schema
import eventstore.explaining.schema
import eventstore.heartbeats.schema
import eventstore.journal.schema
import eventstore.log.schema
import eventstore.past.schema
import eventstore.personal.schema
import eventstore.projections.schema
import eventstore.stores.schema
import eventstore.subscriptions.schema  # noqa: F401 - the tables register themselves
from eventstore.connection import Connection, begin_on
from eventstore.errors import InstalledOtherwise
from eventstore.sql import FUNCTIONS, closing, source
from eventstore.tables import metadata

SCHEMA = "public"
"""The schema of the tables for the functions, whatever the caller's search_path."""


def install(connection: Connection) -> None:
    """
    Create the engine's tables and functions if they do not exist.

    All or nothing, in the caller's transaction if there is one. Repeating it changes
    nothing, and of concurrent calls one does it. It is no migration: raises
    InstalledOtherwise if the tables are those of another version of the engine.
    """
    driver = begin_on(connection)
    with driver.transaction():
        driver.execute("SELECT pg_advisory_xact_lock(hashtext('migrations'))")
        driver.execute("CREATE SCHEMA IF NOT EXISTS vault")
        driver.execute("CREATE SCHEMA IF NOT EXISTS access")
        for table in metadata.sorted_tables:
            driver.execute(compile_ddl(CreateTable(table, if_not_exists=True)))
        refuse_others(driver)
        for index in all_indexes():
            driver.execute(compile_ddl(CreateIndex(index, if_not_exists=True)))
        for name in FUNCTIONS:
            driver.execute(source(name).encode())
        driver.execute(closing(FUNCTIONS).encode())


def all_indexes() -> Iterator[sa.Index]:
    """Yield the indexes of all tables, in the same order each time."""
    for table in metadata.sorted_tables:
        yield from sorted(table.indexes, key=lambda index: str(index.name))


def compile_ddl(statement: ExecutableDDLElement) -> bytes:
    compiled = statement.compile(
        dialect=postgresql.dialect(),  # type: ignore[no-untyped-call]
        schema_translate_map={None: SCHEMA},
        render_schema_translate=True,
    )
    return str(compiled).encode()


def refuse_others(connection: psycopg.Connection[Any]) -> None:
    """Raise InstalledOtherwise if a table has other columns than ours."""
    for table in metadata.sorted_tables:
        rows: Sequence[tuple[str]] = connection.execute(
            """
            SELECT column_name FROM information_schema.columns
            WHERE table_schema = %s AND table_name = %s
            """,
            (table.schema or SCHEMA, table.name),
        ).fetchall()
        there = {name for (name,) in rows}
        different = there ^ {column.name for column in table.columns}
        if different:
            raise InstalledOtherwise(table.name, sorted(different))
