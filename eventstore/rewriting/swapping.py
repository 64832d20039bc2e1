"""The swap: new tables replace the old ones; checkpoints and journal are adapted."""

from typing import Any, NamedTuple

import psycopg
import sqlalchemy as sa

from eventstore.connection import driver_connection
from eventstore.log.schema import events, seals
from eventstore.rewriting.copying import NEXT, Places
from eventstore.seals.seals import begin_chain, seal_log
from eventstore.sql import create_functions
from eventstore.tables import metadata

PLACES = (("subscriptions", "checkpoint"), ("process_managers", "acted_up_to"))
"""The columns with positions of the log, beside the event's id."""


def make_tables(connection: sa.Connection) -> None:
    """Make the tables of the new log, in a schema beside that of the old one."""
    connection.exec_driver_sql(f"CREATE SCHEMA {NEXT}")
    metadata.create_all(
        connection.execution_options(schema_translate_map={None: NEXT}),
        tables=[events, seals],
        checkfirst=False,
    )


def is_granted(connection: psycopg.Connection[Any]) -> bool:
    """Return whether others than the owner have rights to the log."""
    row = connection.execute(
        "SELECT relacl IS NOT NULL FROM pg_class WHERE oid = 'public.events'::regclass"
    ).fetchone()
    return row == (True,)


def swap(connection: sa.Connection, drawn: int) -> None:
    """
    Put the new tables where the old ones were, with the triggers of a log.

    The next id is behind *drawn*, and not behind the last event: checkpoints stand at
    what was settled, which may be a gap at the end, and would pass over it.
    """
    driver = driver_connection(connection)
    driver.execute(
        f"""
        SELECT setval('{NEXT}.events_id_seq', greatest({drawn}, 1), {drawn} > 0);
        ALTER TABLE {NEXT}.events SET SCHEMA public;
        ALTER TABLE {NEXT}.seals SET SCHEMA public;
        DROP SCHEMA {NEXT};
        """
    )
    create_functions(connection, "hold_fence", "refuse_change", "keep_seals")
    driver.execute("ANALYZE public.events")


def carry_over(connection: psycopg.Connection[Any], places: Places, kept: str) -> None:
    """Adapt tables with positions of the log; drop caches."""
    connection.execute("DELETE FROM public.snapshots")
    connection.execute("DELETE FROM public.subscriptions WHERE name = 'seals'")
    # Their tables go with the next copy that is filled.
    connection.execute("UPDATE public.past_copies SET state = 'dropped'")
    if places.are_those_of_before:
        return
    # It stays there, to look up positions of the old log.
    connection.execute(
        f"CREATE TABLE {kept}.moves (behind bigint PRIMARY KEY, by bigint NOT NULL)"
    )
    connection.execute(
        f"INSERT INTO {kept}.moves SELECT * FROM unnest(%s::bigint[], %s::bigint[])",
        ([behind for behind, _ in places.moves], [by for _, by in places.moves]),
    )
    for table, column in (
        ("commands", "position"),
        ("subscriptions", "checkpoint"),
        ("subscriptions", "stopped_at_position"),
        ("parked_streams", "position"),
        ("process_managers", "acted_up_to"),
    ):
        connection.execute(
            f"""
            UPDATE public.{table} AS t
            SET {column} = t.{column} + (
                SELECT m.by FROM {kept}.moves AS m
                WHERE m.behind <= t.{column}
                ORDER BY m.behind DESC
                LIMIT 1
            )
            WHERE t.{column} >= (SELECT min(m.behind) FROM {kept}.moves AS m)
            """
        )
    # Of a position that is gone, what its stream had before is the nearest.
    connection.execute(
        """
        UPDATE public.commands AS c
        SET position = (
            SELECT max(e.id) FROM public.events AS e
            WHERE e.stream_id = c.stream_id AND e.id < c.position
        )
        WHERE c.position = ANY (%s)
        """,
        (places.gone,),
    )
    # Their rows have positions and versions in them, which are not those of the log.
    for table in ("generations", "fillings"):
        connection.execute(f"UPDATE public.{table} SET shape = NULL")


class Checkpoints(NamedTuple):
    """The names of the readers, and of process managers, whose place is in the log."""

    readers: list[str]
    acting: list[str]


def find_checkpoints(connection: psycopg.Connection[Any]) -> Checkpoints:
    """
    Return the subscriptions whose checkpoints fit this log;

    others are not changed.
    """
    readers, acting = (
        [
            name
            for (name,) in connection.execute(
                f"""
                SELECT name FROM public.{table}
                WHERE public.checkpoint_fault({column}, event_id) IS NULL
                """
            )
        ]
        for table, column in PLACES
    )
    return Checkpoints(readers, acting)


def note_events(connection: psycopg.Connection[Any], placed: Checkpoints) -> None:
    """Note beside the checkpoints that were right the events of the new log."""
    for (table, column), names in zip(PLACES, placed, strict=True):
        connection.execute(
            f"""
            UPDATE public.{table} SET event_id = public.event_id_at({column})
            WHERE name = ANY (%s)
            """,
            (names,),
        )


def begin_seals_anew(connection: psycopg.Connection[Any], kept: str) -> None:
    """Begin a chain that names the last seal of the old log, and seal all there is."""
    row = connection.execute(
        f"SELECT hash FROM {kept}.seals ORDER BY number DESC LIMIT 1"
    ).fetchone()
    begin_chain(connection, row[0] if row else None)
    sealed = seal_log(connection)
    if sealed.error is not None:
        raise sealed.error
