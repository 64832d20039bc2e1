"""Installing the engine into a database of somebody else's."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
import sqlalchemy as sa

from eventstore import (
    NO_STREAM,
    InstalledOtherwise,
    PostgresStore,
    diagnose,
    grant_rights,
    install,
)
from eventstore.sql import FUNCTIONS
from tests.support.databases import Databases
from tests.support.engine import added, connect


@pytest.fixture
def url(databases: Databases) -> Iterator[str]:
    """The URL of an empty database, without our tables."""
    with databases.lend_empty() as url:
        yield url


def functions(url: str) -> list[str]:
    with connect(url) as connection:
        rows = connection.execute(
            """
            SELECT proname FROM pg_proc
            WHERE pronamespace = 'public'::regnamespace ORDER BY 1
            """
        ).fetchall()
    connection.close()
    return [name for (name,) in rows]


def test_it_is_part_of_a_transaction_of_sqlalchemys(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        install(connection)
        connection.rollback()
        assert functions(url) == []
        install(connection)
        connection.commit()
    engine.dispose()

    assert functions(url) == sorted(FUNCTIONS)


def test_it_is_part_of_a_transaction_of_psycopgs(url: str) -> None:
    connection = connect(url, autocommit=False)
    install(connection)
    connection.rollback()
    assert functions(url) == []
    install(connection)
    connection.commit()
    connection.close()

    assert functions(url) == sorted(FUNCTIONS)


def test_again_it_changes_nothing_also_where_there_are_events(url: str) -> None:
    with connect(url) as connection:
        install(connection)
        store = PostgresStore(connection)
        store.append([("counter-1", added(5))], expected={"counter-1": NO_STREAM})
        before = store.read_stream("counter-1")

        install(connection)

        assert store.read_stream("counter-1") == before
    connection.close()
    assert functions(url) == sorted(FUNCTIONS)


def test_roles_can_be_made_for_what_was_installed(url: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        install(connection)
        grant_rights(connection)
    engine.dispose()

    with connect(url) as plain:
        assert {ailment.check for ailment in diagnose(plain)} == {"owner"}
    plain.close()


def test_of_processes_that_do_it_at_once_one_does_it(url: str) -> None:
    start = threading.Barrier(3)

    def install_at_once(_: int) -> None:
        with connect(url) as connection:
            start.wait(10)
            install(connection)
        connection.close()

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(install_at_once, range(3), timeout=30))

    assert functions(url) == sorted(FUNCTIONS)


def test_tables_of_another_version_are_refused_and_left_alone(url: str) -> None:
    with connect(url) as connection:
        connection.execute(
            "CREATE TABLE events (id bigint PRIMARY KEY, stream_id varchar, old text)"
        )
        with pytest.raises(InstalledOtherwise, match=r"events .* old"):
            install(connection)
        ((tables,),) = connection.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname IN ('public', 'vault')"
        ).fetchall()
    connection.close()

    assert (tables, functions(url)) == (1, [])


def test_an_error_on_the_way_leaves_nothing(url: str) -> None:
    with connect(url) as connection:
        # A function with the name of one of ours, which cannot be replaced.
        connection.execute(
            "CREATE FUNCTION settled() RETURNS text LANGUAGE sql AS 'SELECT NULL'"
        )
        with pytest.raises(psycopg.errors.InvalidFunctionDefinition):
            install(connection)
    connection.close()

    assert functions(url) == ["settled"]
