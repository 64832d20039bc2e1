"""A floor is held as long as an id above it may still appear, however it was drawn."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from eventstore.log.read import settled
from tests.support.engine import Engine

Connection = psycopg.Connection[Any]

VALUES = "'Happened', 1, '{}', '{}', now()"
COLUMNS = "(stream_id, type, version, data, metadata, occurred_at)"
INSERT = f"INSERT INTO events {COLUMNS}"
NAME = "'race-' || gen_random_uuid()"


def insert(connection: Connection) -> None:
    connection.execute(f"{INSERT} VALUES ({NAME}, {VALUES})")


def copy(connection: Connection) -> None:
    with connection.cursor().copy(f"COPY events {COLUMNS} FROM STDIN") as rows:
        rows.write_row(("race-copied", "Happened", 1, "{}", "{}", "now"))


def insert_what_is_selected(connection: Connection) -> None:
    connection.execute(f"{INSERT} SELECT {NAME}, {VALUES} FROM generate_series(1, 3)")


def draw_in_the_statement_that_inserts(connection: Connection) -> None:
    """An id that somebody draws by hand, in a part of the statement that runs first."""
    connection.execute(
        f"""
        WITH drawn AS MATERIALIZED (
            SELECT nextval('events_id_seq') AS id FROM generate_series(1, 3)
        )
        INSERT INTO events (id, {COLUMNS[1:]}
        OVERRIDING SYSTEM VALUE
        SELECT id, {NAME}, {VALUES} FROM drawn ORDER BY id DESC
        """
    )


def insert_within_a_query(connection: Connection) -> None:
    connection.execute(
        f"""
        WITH inserted AS ({INSERT} VALUES ({NAME}, {VALUES}) RETURNING id)
        SELECT count(*) FROM inserted
        """
    )


def merge(connection: Connection) -> None:
    connection.execute(
        f"""
        MERGE INTO events AS e USING (VALUES ('race-merged')) AS n (stream_id)
        ON e.stream_id = n.stream_id
        WHEN NOT MATCHED THEN INSERT {COLUMNS} VALUES (n.stream_id, {VALUES})
        """
    )


def insert_where_errors_are_caught(connection: Connection) -> None:
    """Each block is a subtransaction; the second draws an id, and is undone."""
    connection.execute(
        f"""
        DO $$ BEGIN
            BEGIN
                {INSERT} VALUES ('race-kept', {VALUES});
            EXCEPTION WHEN unique_violation THEN
                RAISE;
            END;
            BEGIN
                {INSERT} VALUES ('race-kept', {VALUES});
            EXCEPTION WHEN unique_violation THEN
                NULL;
            END;
        END $$
        """
    )


def insert_before_a_savepoint(connection: Connection) -> None:
    insert(connection)
    connection.execute("SAVEPOINT s")
    insert(connection)
    connection.execute("ROLLBACK TO s")


def insert_in_a_savepoint_that_is_released(connection: Connection) -> None:
    connection.execute("SAVEPOINT outside")
    connection.execute("SAVEPOINT inside")
    insert(connection)
    connection.execute("RELEASE inside")
    connection.execute("RELEASE outside")


def insert_again_after_a_savepoint_was_undone(connection: Connection) -> None:
    connection.execute("SAVEPOINT s")
    insert(connection)
    connection.execute("ROLLBACK TO s")
    insert(connection)


def insert_the_same_floor_twice(connection: Connection) -> None:
    """The undone lock had the key of the one that stays: nobody drew in between."""
    connection.execute("SAVEPOINT s")
    connection.execute(f"{INSERT} SELECT {NAME}, {VALUES} WHERE false")
    connection.execute("ROLLBACK TO s")
    connection.execute("SAVEPOINT s")
    connection.execute(f"{INSERT} SELECT {NAME}, {VALUES} WHERE false")
    insert(connection)
    connection.execute("SAVEPOINT t")
    connection.execute("ROLLBACK TO t")


def insert_by_a_cursor_that_is_opened_outside(connection: Connection) -> None:
    """The rows of a function that inserts come one by one, some in a savepoint."""
    connection.execute(
        f"""
        CREATE FUNCTION pg_temp.insert_one(n integer) RETURNS integer
        LANGUAGE plpgsql VOLATILE AS $$ BEGIN
            {INSERT} VALUES ({NAME}, {VALUES});
            RETURN n;
        END $$
        """
    )
    connection.execute(
        "DECLARE c CURSOR FOR SELECT pg_temp.insert_one(n)"
        " FROM generate_series(1, 10) AS n"
    )
    connection.execute("FETCH 2 FROM c")
    connection.execute("SAVEPOINT s")
    connection.execute("FETCH 2 FROM c")
    connection.execute("ROLLBACK TO s")


def try_to_let_go(connection: Connection) -> None:
    insert(connection)
    connection.execute("SET client_min_messages = error")
    connection.execute("SELECT pg_advisory_unlock_all()")
    connection.execute("SELECT pg_advisory_unlock_shared(public.lock_key(0, 1))")


Way = Callable[[Connection], None]

WAYS: tuple[Way, ...] = (
    insert,
    copy,
    insert_what_is_selected,
    draw_in_the_statement_that_inserts,
    insert_within_a_query,
    merge,
    insert_where_errors_are_caught,
    insert_before_a_savepoint,
    insert_in_a_savepoint_that_is_released,
    insert_again_after_a_savepoint_was_undone,
    insert_the_same_floor_twice,
    insert_by_a_cursor_that_is_opened_outside,
    try_to_let_go,
)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_was_drawn_holds_readers_back(way: Way, engine: Engine) -> None:
    """Everything that the writer commits later is above what was settled before."""
    engine.append("counter-first", 1, expected=0)
    writer = engine.connect(autocommit=False)
    way(writer)
    engine.append("counter-later", 1, expected=0)

    seen = settled(engine.connection)
    writer.commit()
    ((lowest,),) = engine.connection.execute(
        "SELECT min(id) FROM events WHERE stream_id LIKE 'race-%'"
    ).fetchall()

    assert lowest is not None
    assert 1 <= seen < lowest
    assert settled(engine.connection) > lowest


def test_what_was_drawn_in_a_savepoint_that_was_undone_holds_nobody(
    engine: Engine,
) -> None:
    """Its lock is let go with it, and its ids will never be."""
    writer = engine.connect(autocommit=False)
    writer.execute("SAVEPOINT s")
    insert(writer)
    writer.execute("ROLLBACK TO s")
    engine.append("counter-later", 1, expected=0)

    assert settled(engine.connection) == 2


def test_an_id_drawn_before_its_statement_is_held_by_nobody(engine: Engine) -> None:
    """
    The one way around the fence: to choose an id.

    It takes the right to insert into the table, which only the owner needs to have.
    """
    engine.append("counter-first", 1, expected=0)
    writer = engine.connect(autocommit=False)
    ((drawn,),) = writer.execute("SELECT nextval('events_id_seq')").fetchall()
    engine.append("counter-later", 1, expected=0)
    writer.execute(
        f"INSERT INTO events (id, {COLUMNS[1:]} OVERRIDING SYSTEM VALUE"
        f" VALUES (%s, 'race-chosen', {VALUES})",
        (drawn,),
    )

    assert settled(engine.connection) > drawn
