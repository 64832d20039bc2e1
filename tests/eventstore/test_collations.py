"""An order of text that is another one than the indexes have is told of, and how."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from eventstore.database.doctor import FATAL_CHECKS, diagnose
from eventstore.verifying.collations import check_collations
from eventstore.verifying.verify import verify
from tests.support.engine import COUNTERS, Engine

DATABASE = """
    UPDATE pg_database SET datcollversion = '2.19' WHERE datname = current_database()
"""


def make_collation(connection: psycopg.Connection[Any]) -> None:
    """Make a collation that has a version, and note another one for it."""
    ((known,),) = connection.execute(
        """
        SELECT format('pg_catalog.%I', collname) FROM pg_collation
        WHERE collversion IS NOT NULL
            AND collencoding IN (-1, pg_char_to_encoding(getdatabaseencoding()))
        LIMIT 1
        """
    ).fetchall()
    connection.execute(f"CREATE COLLATION swedish FROM {known}".encode())
    connection.execute(
        "UPDATE pg_collation SET collversion = '2.19' WHERE collname = 'swedish'"
    )
    # PostgreSQL warns of it as well, at each use.
    connection.execute("SET client_min_messages = error")
    connection.execute("CREATE TABLE names (name text COLLATE swedish)")


def test_collations_of_the_librarys_version_are_no_finding(engine: Engine) -> None:
    assert list(check_collations(engine.connection)) == []


def test_a_default_collation_of_another_version_is_fatal(engine: Engine) -> None:
    """Unique indexes on text rest on it: a second version 1 would be let in."""
    with engine.connection.transaction(force_rollback=True):
        engine.connection.execute(DATABASE)
        (ailment,) = diagnose(engine.connection, FATAL_CHECKS)
        ((database,),) = engine.connection.execute(
            "SELECT current_database()"
        ).fetchall()

    assert ailment.is_fatal
    assert f"the collation of database {database} was version 2.19" in ailment.what
    assert "events_stream_id_version_key" in ailment.what or "…" in ailment.what
    assert ailment.remedy.startswith(f"REINDEX DATABASE {database}; ")


def test_one_that_no_unique_index_of_ours_rests_on_is_a_finding(
    engine: Engine,
) -> None:
    with engine.connection.transaction(force_rollback=True):
        make_collation(engine.connection)
        unused = list(check_collations(engine.connection))
        engine.connection.execute("CREATE INDEX names_idx ON names (name)")
        (ailment,) = check_collations(engine.connection)

    assert unused == []
    assert not ailment.is_fatal
    assert "1 index on text may be in another order" in ailment.what
    assert "ALTER COLLATION swedish REFRESH VERSION" in ailment.remedy


def test_a_unique_index_of_ours_on_one_is_fatal(engine: Engine) -> None:
    with engine.connection.transaction(force_rollback=True):
        make_collation(engine.connection)
        engine.connection.execute("CREATE UNIQUE INDEX names_key ON names (name)")
        (ailment,) = check_collations(engine.connection)

    assert ailment.is_fatal
    assert "names_key let in twice" in ailment.what


def test_verify_says_so_too(engine: Engine) -> None:
    with engine.connection.transaction(force_rollback=True):
        engine.connection.execute(DATABASE)
        findings = verify(engine.connection, COUNTERS).findings

    assert [finding.check for finding in findings] == ["collations"]
    assert "REINDEX DATABASE" in str(findings[0])


def of_the_database(connection: psycopg.Connection[Any]) -> None:
    connection.execute(DATABASE)


def of_a_collation(connection: psycopg.Connection[Any]) -> None:
    make_collation(connection)
    connection.execute("CREATE UNIQUE INDEX names_key ON names (name)")


@pytest.mark.parametrize("change", [of_the_database, of_a_collation])
def test_what_is_to_be_done_mends_it(
    database: str, change: Callable[[psycopg.Connection[Any]], None]
) -> None:
    url = database.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        change(connection)
        (ailment,) = check_collations(connection)
        for statement in ailment.remedy.split("; "):
            connection.execute(statement.encode())

        assert list(check_collations(connection)) == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE events DROP CONSTRAINT events_stream_id_version_key",
        "UPDATE pg_index SET indisvalid = false"
        " WHERE indexrelid = 'events_stream_id_version_key'::regclass",
    ],
)
def test_a_unique_index_that_is_gone_or_not_valid_is_fatal(
    engine: Engine, statement: str
) -> None:
    with engine.connection.transaction(force_rollback=True):
        engine.connection.execute(statement.encode())
        (ailment,) = diagnose(engine.connection, FATAL_CHECKS)

    assert ailment.is_fatal
    assert "events_stream_id_version_key is missing or not valid" in ailment.what
