"""The engine's part of a database, made by migrations or by `install`."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from eventstore.database.installation import install
from eventstore.sql import FUNCTIONS
from eventstore.tables import metadata
from tests.support.databases import ROOT, Databases
from tests.support.engine import connect

TABLES = sorted(metadata.tables)

CATALOGUES = {
    "tables": """
        SELECT c.relname, c.relkind, c.relpersistence, c.reloptions
        FROM pg_class AS c
        WHERE c.relname = ANY (%(tables)s)
        ORDER BY 1
    """,
    "columns": """
        SELECT
            c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
            a.attidentity, pg_get_expr(d.adbin, d.adrelid)
        FROM pg_attribute AS a
        JOIN pg_class AS c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relname = ANY (%(tables)s) AND a.attnum > 0
        ORDER BY c.relname, a.attnum
    """,
    "sequences": """
        SELECT
            s.sequencename, s.data_type::text, s.start_value, s.increment_by,
            s.min_value, s.max_value, s.cycle, s.cache_size
        FROM pg_sequences AS s
        JOIN pg_depend AS d ON d.objid = format('public.%%I', s.sequencename)::regclass
        WHERE d.refobjid::regclass::text = ANY (%(tables)s) AND d.deptype = 'i'
        ORDER BY 1
    """,
    "constraints": """
        SELECT c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid)
        FROM pg_constraint AS c
        WHERE c.conrelid::regclass::text = ANY (%(tables)s)
        ORDER BY 1, 2
    """,
    "indexes": """
        SELECT tablename, indexname, indexdef
        FROM pg_indexes
        WHERE tablename = ANY (%(tables)s)
        ORDER BY 1, 2
    """,
    "functions": """
        SELECT p.proname, pg_get_functiondef(p.oid)
        FROM pg_proc AS p
        WHERE p.pronamespace = 'public'::regnamespace
        ORDER BY 1
    """,
    "triggers": """
        SELECT t.tgname, t.tgenabled, pg_get_triggerdef(t.oid)
        FROM pg_trigger AS t
        WHERE NOT t.tgisinternal
        ORDER BY 1
    """,
}


@pytest.fixture(scope="module")
def migrated(databases: Databases) -> Iterator[psycopg.Connection[Any]]:
    """A database that Alembic made."""
    with databases.lend() as url, connect(url) as connection:
        yield connection


@pytest.fixture(scope="module")
def installed(databases: Databases) -> Iterator[psycopg.Connection[Any]]:
    """A database that the engine made by itself."""
    with databases.lend_empty() as url, connect(url) as connection:
        # Wherever the caller's own tables go, ours go to where the functions are.
        connection.execute("CREATE SCHEMA elsewhere")
        connection.execute("SET search_path TO elsewhere, pg_catalog")
        install(connection)
        connection.execute("RESET search_path")
        yield connection


@pytest.mark.parametrize("catalogue", CATALOGUES)
def test_the_engine_installs_itself_as_the_migrations_do(
    catalogue: str,
    installed: psycopg.Connection[Any],
    migrated: psycopg.Connection[Any],
) -> None:
    query, tables = CATALOGUES[catalogue], {"tables": TABLES}

    by_itself = installed.execute(query, tables).fetchall()
    by_migrations = migrated.execute(query, tables).fetchall()

    assert by_itself == by_migrations


@pytest.mark.parametrize("catalogue", CATALOGUES)
def test_the_comparison_sees_something(
    catalogue: str, migrated: psycopg.Connection[Any]
) -> None:
    assert migrated.execute(CATALOGUES[catalogue], {"tables": TABLES}).fetchall()


def test_events_has_exactly_seven_columns(migrated: psycopg.Connection[Any]) -> None:
    rows = migrated.execute(
        """
        SELECT column_name, data_type FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = 'events'
        ORDER BY ordinal_position
        """
    ).fetchall()

    assert rows == [
        ("id", "bigint"),
        ("stream_id", "character varying"),
        ("type", "character varying"),
        ("version", "integer"),
        ("data", "jsonb"),
        ("metadata", "jsonb"),
        ("occurred_at", "timestamp with time zone"),
    ]


def test_every_file_of_sql_is_installed() -> None:
    files = (ROOT / "eventstore" / "sql").glob("*.sql")

    assert sorted(path.stem for path in files) == sorted(FUNCTIONS)


PROCEDURES = {
    "finish": [
        "public.append_and_complete",
        "pg_catalog.array_append",
        "public.release",
        "public.raise_signal",
    ],
}


@pytest.mark.parametrize(("name", "calls"), PROCEDURES.items())
def test_a_procedure_names_all_that_it_calls_with_its_schema(
    name: str, calls: list[str]
) -> None:
    """It ends transactions in between, and such a one cannot fix its search_path."""
    body = (ROOT / "eventstore" / "sql" / f"{name}.sql").read_text().split("$$")[1]
    called = re.findall(r"([\w.]+)\(", body)

    assert called == calls


@pytest.mark.parametrize(
    "function", [name for name in FUNCTIONS if name not in PROCEDURES]
)
def test_a_function_fixes_its_search_path_or_is_inlined(
    function: str, migrated: psycopg.Connection[Any]
) -> None:
    """One that does neither can be led to another schema's objects."""
    ((is_fixed, arguments),) = migrated.execute(
        """
        SELECT
            coalesce(array_to_string(proconfig, ' ') LIKE '%%search_path=%%', false),
            ARRAY(SELECT format_type(t, NULL) FROM unnest(proargtypes) AS t)
        FROM pg_proc
        WHERE proname = %s AND pronamespace = 'public'::regnamespace
        """,
        (function,),
    ).fetchall()

    assert is_fixed or is_inlined(migrated, function, arguments)


def is_inlined(
    connection: psycopg.Connection[Any], function: str, arguments: list[str]
) -> bool:
    """Return whether a plan that calls *function* has its body instead."""
    values = ", ".join(f"one.x::{kind}" for kind in arguments)
    plan = connection.execute(
        f"EXPLAIN (VERBOSE) SELECT public.{function}({values})"
        " FROM generate_series(1, 2) AS one (x)"
    ).fetchall()
    return not any(f"{function}(" in line for (line,) in plan)


def test_alembic_is_the_library_and_not_our_folder() -> None:
    where = subprocess.run(
        [sys.executable, "-c", "import alembic; print(alembic.__file__)"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )

    assert ROOT / "alembic" not in Path(where.stdout.strip()).parents


def test_our_folder_of_migrations_is_no_package() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()
