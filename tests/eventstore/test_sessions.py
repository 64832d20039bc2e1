"""A session is what the code relies on, whatever the database was set to."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from eventstore.sessions import looking
from eventstore.sessions.errors import ReadOnlyServer, UnfitSession
from eventstore.sessions.pins import PINS, seconds_of
from eventstore.sessions.session import Session
from tasks.connections import can_write, connect, pool_of
from tests.support.databases import Databases
from tests.support.databases import migrate as migrate
from tests.support.engine import connect as connect_plain

OTHERS = {
    "DateStyle": "German, DMY",
    "IntervalStyle": "sql_standard",
    "TimeZone": "Asia/Kolkata",
    "bytea_output": "escape",
    "extra_float_digits": "-15",
    "xmlbinary": "hex",
    "xmloption": "document",
    "quote_all_identifiers": "on",
    "client_encoding": "LATIN1",
    "array_nulls": "off",
    "backslash_quote": "off",
    "standard_conforming_strings": "off",
    "timezone_abbreviations": "India",
    "default_text_search_config": "pg_catalog.german",
    "search_path": "nowhere",
    "row_security": "off",
    "transform_null_equals": "on",
    "gin_fuzzy_search_limit": "1",
    "check_function_bodies": "off",
    "default_transaction_isolation": "serializable",
    "default_transaction_read_only": "on",
    "default_transaction_deferrable": "on",
    "idle_session_timeout": "1min",
    "plpgsql.extra_errors": "all",
    "statement_timeout": "2s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "2s",
    "transaction_timeout": "2s",
    "synchronous_commit": "off",
    "restrict_nonsystem_relation_kind": "view",
}
UNSET = {"lc_monetary", "lc_numeric", "lc_time", "plpgsql.extra_warnings"}
"""There is no other locale that is everywhere, and nobody reads the warnings."""


@pytest.fixture(scope="module")
def one(databases: Databases) -> Iterator[str]:
    """A database for all that is asked here; each test leaves it as it was."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    yield databases.clone(name)
    databases.drop(name)


@pytest.fixture
def set_database(one: str, databases: Databases) -> Iterator[Any]:
    """What sets something for all new sessions of the database, for one test."""
    name = sa.make_url(one).database

    def change(setting: str, value: str) -> None:
        with databases.engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            value = value if setting == "search_path" else f"'{value}'"
            driver.execute(f"ALTER DATABASE {name} SET {setting} = {value}".encode())

    yield change
    with databases.engine.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {name} RESET ALL")


def values(session: psycopg.Connection[Any], *names: str) -> list[str]:
    rows = [session.execute(f"SHOW {name}".encode()).fetchone() for name in names]
    return [str(row[0]) for row in rows if row]


@pytest.mark.parametrize("setting", OTHERS)
def test_what_a_database_sets_a_session_does_not_have(
    one: str, set_database: Any, setting: str
) -> None:
    with connect(one) as before:
        (wanted,) = values(before, setting)
    set_database(setting, OTHERS[setting])

    with connect(one, "web") as session:
        assert values(session, setting) == [
            {
                "statement_timeout": "10s",
                "lock_timeout": "3s",
                "idle_in_transaction_session_timeout": "5s",
            }.get(setting, wanted)
        ]
        row = session.execute(
            "SELECT %s::timestamptz, ARRAY[%s]::text[], 'ł€'",
            ("2026-01-31 12:00+01", None),
        ).fetchone()
        assert row is not None and row[1:] == ([None], "ł€")


def test_what_is_pinned_is_tried_with_another_value() -> None:
    tcp = {name for name in PINS if name.startswith("tcp_")}
    assert set(PINS) - tcp - UNSET <= set(OTHERS)
