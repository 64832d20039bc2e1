"""A session is what the code relies on, whatever the database was set to."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from eventstore.session_errors import ReadOnlyServer, UnfitSession
from eventstore.sessions import looking
from eventstore.sessions.pins import PINS, seconds_of
from eventstore.sessions.session import Session
from tasks.shop.connections import can_write, connect, pool_of
from tests.support.databases import Databases, in_encoding
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
    with databases.lend() as url:
        yield url


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
        assert row is not None
        assert row[1:] == ([None], "ł€")


def test_what_is_pinned_is_tried_with_another_value() -> None:
    tcp = {name for name in PINS if name.startswith("tcp_")}
    assert set(PINS) - tcp - UNSET <= set(OTHERS)


def test_a_setting_that_is_read_again_while_a_session_lives_changes_nothing(
    one: str,
) -> None:
    """`ALTER SYSTEM` and a reload change the sessions that have set nothing."""
    with connect(one) as session:
        rows = session.execute(
            "SELECT name FROM pg_settings WHERE source = 'session'"
        ).fetchall()

    set_by_session = {name.lower() for (name,) in rows}
    # On a Unix socket there is nothing of TCP to be set.
    pinned = {name.lower() for name in PINS if not name.startswith(("tcp_", "plpgsql"))}
    assert pinned <= set_by_session


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("session_replication_role", "replica", "triggers of the log do not fire"),
        ("plpgsql.variable_conflict", "use_column", "functions mean something else"),
    ],
)
def test_what_a_session_may_not_set_itself_is_refused_by_name(
    one: str, set_database: Any, setting: str, value: str, told: str
) -> None:
    set_database(setting, value)

    with pytest.raises(UnfitSession, match=f"{setting} is {value}: {told}"):
        connect(one)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII", "EUC_JP"])
def test_a_database_in_another_encoding_is_refused_by_name(
    databases: Databases, encoding: str
) -> None:
    with databases.lend_empty(in_encoding(encoding)) as url:
        name = sa.make_url(url).database
        with pytest.raises(UnfitSession, match=f"{name} is in {encoding}"):
            connect(url)


def test_a_session_that_somebody_else_has_used_is_refused(
    one: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a pooler lends it that resets nothing."""
    with connect_plain(one) as connection:
        looking.pin(connection, {})
        with pytest.raises(UnfitSession, match="such as PgBouncer"):
            looking.pin(connection, {})


def test_a_standby_is_refused_by_name(
    one: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    standby = looking.PIN.replace("pg_catalog.pg_is_in_recovery()", "true")
    monkeypatch.setattr(looking, "PIN", standby)

    with pytest.raises(ReadOnlyServer, match="a standby"):
        connect(one)


@pytest.mark.parametrize(
    ("limit", "seconds"),
    [("10s", 10), ("5min", 300), ("250ms", 0.25), ("500", 0.5), ("0", None)],
)
def test_limits_are_read_as_postgresql_reads_them(
    limit: str, seconds: float | None
) -> None:
    assert seconds_of(limit) == seconds


# What happens to a session later.

STATES = {
    "another role": "SET ROLE test_of_recount_web",
    "another search path": "SET search_path = nowhere",
    "a default that nobody wanted": "SET default_transaction_isolation = serializable",
    "nothing of what it had set": "DISCARD ALL",
    "the right to read alone": "SET default_transaction_read_only = on",
    "reading alone for good": ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"),
    "dates of another form": "SET DateStyle = German",
}
"""In each of these `SELECT 1` works, and the session is of no use."""


@pytest.fixture
def pool(one: str) -> Iterator[sa.Engine]:
    engine = pool_of(one, "web").execution_options(isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()


def lend(pool: sa.Engine, statement: str = "SELECT 1") -> int:
    """Have a session do something, and return which one it was."""
    with pool.connect() as connection:
        session = connection.connection.driver_connection
        assert isinstance(session, Session)
        assert session.nature
        session.execute(statement.encode())
        return session.nature.pid


@pytest.mark.parametrize("state", STATES)
def test_a_session_that_is_not_what_it_was_is_not_lent_again(
    pool: sa.Engine, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    first = lend(pool)
    assert lend(pool, STATES[state]) == first
    monkeypatch.setattr("tasks.shop.connections.IDLE", 0.0)

    assert lend(pool) != first
    assert lend(pool, "SELECT 1") == lend(pool)


def test_an_error_of_a_session_throws_it_away(pool: sa.Engine) -> None:
    first = lend(pool)
    with pytest.raises(psycopg.errors.UndefinedFunction):
        lend(pool, "SELECT no_such_function()")

    assert lend(pool) != first


def test_an_error_of_what_was_asked_does_not(pool: sa.Engine) -> None:
    first = lend(pool)
    with pytest.raises(psycopg.errors.DivisionByZero):
        lend(pool, "SELECT 1 / 0")

    assert lend(pool) == first


def test_one_that_cannot_write_takes_all_that_are_as_old_with_it(
    pool: sa.Engine,
) -> None:
    """As after a failover: each of them is connected to a server that is a standby."""
    held = [pool.connect() for _ in range(3)]
    old = set()
    for connection in held:
        session = connection.connection.driver_connection
        assert isinstance(session, Session)
        assert session.nature
        session.execute("SET default_transaction_read_only = on")
        old.add(session.nature.pid)
    for connection in held:
        connection.close()
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        lend(pool, "CREATE TABLE never_made ()")

    assert not {lend(pool) for _ in range(3)} & old


def test_whether_one_can_write_is_asked_in_one_look(pool: sa.Engine) -> None:
    assert can_write(pool)

    lend(pool, "SET default_transaction_read_only = on")

    assert not can_write(pool)
    assert can_write(pool)


def test_a_transaction_that_was_left_open_is_no_session_to_rely_on(one: str) -> None:
    with connect(one) as session:
        session.execute("BEGIN")

        assert not session.look().is_same
        assert session.is_spent
