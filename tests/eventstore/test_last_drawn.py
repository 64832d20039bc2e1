"""The last drawn id is never more than was drawn, or the fence would let some pass."""

import threading
from typing import Any

import psycopg
import pytest

from eventstore.log.read import last_drawn
from tests.support.engine import Engine, connect

READ_AS_A_TABLE = "SELECT last_value FROM public.events_id_seq"
LOOKS = """
    CREATE OR REPLACE FUNCTION pg_temp.times_ahead(looks integer) RETURNS integer
    LANGUAGE plpgsql AS $$
    DECLARE
        seen bigint;
        ahead integer := 0;
    BEGIN
        FOR i IN 1 .. looks LOOP
            seen := ({look});
            IF seen > pg_sequence_last_value('public.events_id_seq') THEN
                ahead := ahead + 1;
            END IF;
        END LOOP;
        RETURN ahead;
    END $$
"""


def times_ahead(url: str, look: str, *, looks: int, most: int) -> int:
    """
    Return how often *look* told more than was drawn an instant later.

    Three sessions draw meanwhile. It ends when that was seen at all, or after *most*
    times so many *looks*.
    """
    is_over = threading.Event()
    drawers = [threading.Thread(target=draw, args=(url, is_over)) for _ in range(3)]
    with connect(url) as connection:
        connection.execute(LOOKS.format(look=look))
        for drawer in drawers:
            drawer.start()
        try:
            for _ in range(most):
                if ahead := look_often(connection, looks):
                    return ahead
        finally:
            is_over.set()
            for drawer in drawers:
                drawer.join()
    return 0


def look_often(connection: psycopg.Connection[Any], looks: int) -> int:
    row = connection.execute("SELECT pg_temp.times_ahead(%s)", (looks,)).fetchone()
    assert row is not None
    return int(row[0])


def draw(url: str, is_over: threading.Event) -> None:
    with connect(url) as connection:
        while not is_over.is_set():
            connection.execute(
                "SELECT nextval('public.events_id_seq') FROM generate_series(1, 50)"
            )


def test_a_fresh_sequence_has_drawn_nothing(
    connection: psycopg.Connection[Any],
) -> None:
    """Its last_value is 1 all the same."""
    assert last_drawn(connection) == 0


def test_a_fresh_sequence_may_begin_elsewhere(database: str) -> None:
    with connect(database) as connection:
        connection.execute("ALTER TABLE events ALTER COLUMN id RESTART WITH 700")

        assert last_drawn(connection) == 699


def test_what_is_rolled_back_was_drawn(engine: Engine) -> None:
    connection = engine.connect(autocommit=False)
    connection.execute("SELECT nextval('public.events_id_seq')")
    connection.rollback()

    assert last_drawn(engine.connection) == 1


@pytest.mark.races
def test_the_last_drawn_id_is_never_ahead_of_what_was_drawn(database: str) -> None:
    assert times_ahead(database, "public.last_drawn()", looks=100_000, most=10) == 0


@pytest.mark.races
def test_a_sequence_that_is_read_as_a_table_is_ahead_at_times(database: str) -> None:
    """The negative control: the row has what is logged in advance, for an instant."""
    ahead = times_ahead(database, READ_AS_A_TABLE, looks=100_000, most=100)

    print(f"ahead {ahead} times")
    assert ahead > 0
