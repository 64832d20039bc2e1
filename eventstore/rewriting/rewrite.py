"""
Rewriting the log: a copy in the shapes of today takes its place, and it is kept.

All of it is one transaction. So a kill, a crash or a full disk at any point leaves the
log as it was, and nothing else behind. The practice is Greg Young's copy-and-replace
("Versioning in an Event Sourced System").
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg
import sqlalchemy as sa

from eventstore.connection import driver_connection
from eventstore.decider import Deciders
from eventstore.errors import RewriteRefused
from eventstore.log.schema import events, seals
from eventstore.log.seals import begin_chain, seal_log
from eventstore.rewriting.commands import close_commands, read_clear
from eventstore.rewriting.comparing import compare
from eventstore.rewriting.copying import (
    NEXT,
    Kind,
    Places,
    Tally,
    copy_batch,
    keep_new_keys,
    read_changes,
)
from eventstore.rewriting.kept import keep_log
from eventstore.rights import grant_rights
from eventstore.sql import create_functions
from eventstore.tables import metadata
from eventstore.verifying.checks import all_checks
from eventstore.verifying.finding import Advance
from eventstore.verifying.sealed import Vouching

Show = Callable[[str, int], AbstractContextManager[Advance]]
"""Is given what is done next and how many there are, and lends what counts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What a rewrite would do to *events*, and to so many *commands* of the journal."""

    events: int
    kinds: Sequence[Kind]
    commands: int

    @property
    def changed(self) -> int:
        return sum(kind.count for kind in self.kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten(Rehearsed):
    """
    What was done; the old log is kept in the schema *kept*.

    Where not *has_same_places*, read models have positions that are not those of the
    log any more: they are to be rebuilt, and are marked so.
    """

    kept: str
    has_same_places: bool


class Other(NamedTuple):
    """A session that is connected to the same database."""

    pid: int
    application_name: str
    user: str


def rehearse(connection: sa.Connection, deciders: Deciders, show: Show) -> Rehearsed:
    """Return what rewriting would do, having done nothing; the shop may be running."""
    driver, tally = driver_connection(connection), Tally()
    with show("reading", count_events(driver)) as advance:
        for batch, changes, _ in read_changes(driver, deciders):
            for event, change in zip(batch, changes, strict=True):
                tally.note(event, change)
            advance(len(batch))
    commands = sum(len(clear) for clear in read_clear(driver, deciders))
    return Rehearsed(events=tally.events, kinds=tally.kinds, commands=commands)


def rewrite(connection: sa.Connection, deciders: Deciders, show: Show) -> Rewritten:
    """
    Put a copy in the shapes of today in the place of the log, which is kept.

    Personal data that were in the clear are encrypted in it, and in the journal. Events
    keep their order, and those that stay one event their position too, unless one
    before them was split. Checkpoints and the journal go along, snapshots are dropped,
    and a new chain of seals names the last of the old one.

    Runs in the transaction of *connection*, and the caller commits. Raises
    RewriteRefused, with the reason, while others are connected, and where what was
    written is not found to be the same history.
    """
    driver = driver_connection(connection)
    others = find_others(driver)
    if others:
        raise RewriteRefused(f"others are connected: {', '.join(map(said, others))}")
    # Nobody is there; whoever comes now waits until this is over.
    driver.execute("LOCK TABLE public.commands, public.events IN EXCLUSIVE MODE")
    seal_log(driver)
    make_tables(connection)
    tally, places = copy(driver, deciders, show)
    refuse_waiting(driver, places)
    with show("comparing", tally.events) as advance:
        compare(driver, deciders, advance)
    commands = close_journal(driver, deciders)
    has_roles = is_granted(driver)
    kept = keep_log(driver)
    swap(connection)
    if has_roles:
        grant_rights(connection)
    carry_over(driver, places, kept)
    begin_seals_anew(driver, kept)
    verify(driver, deciders, show)
    return Rewritten(
        events=tally.events,
        kinds=tally.kinds,
        commands=commands,
        kept=kept,
        has_same_places=places.are_those_of_before,
    )


def find_others(connection: psycopg.Connection[Any]) -> list[Other]:
    rows = connection.execute(
        """
        SELECT pid, application_name, usename FROM pg_catalog.pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
            AND backend_type = 'client backend'
        ORDER BY application_name, pid
        """
    )
    return [Other(*row) for row in rows]


def said(other: Other) -> str:
    return f"{other.application_name or other.user} (pid {other.pid})"


def count_events(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT count(*) FROM public.events").fetchone()
    return row[0] if row else 0


def make_tables(connection: sa.Connection) -> None:
    """Make the tables of the new log, in a schema beside that of the old one."""
    connection.exec_driver_sql(f"CREATE SCHEMA {NEXT}")
    metadata.create_all(
        connection.execution_options(schema_translate_map={None: NEXT}),
        tables=[events, seals],
        checkfirst=False,
    )


def copy(
    connection: psycopg.Connection[Any], deciders: Deciders, show: Show
) -> tuple[Tally, Places]:
    tally, places = Tally(), Places()
    with show("copying", count_events(connection)) as advance:
        for batch, changes, keyring in read_changes(connection, deciders):
            keep_new_keys(connection, keyring)
            copy_batch(connection, batch, changes, places)
            for event, change in zip(batch, changes, strict=True):
                tally.note(event, change)
            advance(len(batch))
    return tally, places


def refuse_waiting(connection: psycopg.Connection[Any], places: Places) -> None:
    """Refuse where a command waits that has seen a version which is another one now."""
    row = connection.execute(
        """
        SELECT count(*) FROM public.commands
        WHERE status = 'accepted' AND expected_version IS NOT NULL
            AND stream_id = ANY (%s)
        """,
        (list(places.versions),),
    ).fetchone()
    if row and row[0]:
        raise RewriteRefused(
            f"{row[0]} commands wait that expect a version of a stream whose versions"
            " change: let them finish first"
        )


def close_journal(connection: psycopg.Connection[Any], deciders: Deciders) -> int:
    """Encrypt what is personal in the journal; return in how many commands it was."""
    closed = 0
    for clear in read_clear(connection, deciders):
        close_commands(connection, clear, deciders)
        closed += len(clear)
    return closed


def is_granted(connection: psycopg.Connection[Any]) -> bool:
    """Return whether others than the owner have rights to the log."""
    row = connection.execute(
        "SELECT relacl IS NOT NULL FROM pg_class WHERE oid = 'public.events'::regclass"
    ).fetchone()
    return row == (True,)


def swap(connection: sa.Connection) -> None:
    """Put the new tables where the old ones were, with the triggers of a log."""
    driver = driver_connection(connection)
    driver.execute(
        f"""
        SELECT setval('{NEXT}.events_id_seq', greatest(max(id), 1), max(id) IS NOT NULL)
        FROM {NEXT}.events;
        ALTER TABLE {NEXT}.events SET SCHEMA public;
        ALTER TABLE {NEXT}.seals SET SCHEMA public;
        DROP SCHEMA {NEXT};
        """
    )
    create_functions(connection, "hold_fence", "refuse_change", "keep_seals")
    driver.execute("ANALYZE public.events")


def carry_over(connection: psycopg.Connection[Any], places: Places, kept: str) -> None:
    """Bring along what names positions of the log; drop what only saves reading."""
    connection.execute("DELETE FROM public.snapshots")
    connection.execute("DELETE FROM public.subscriptions WHERE name = 'seals'")
    if places.are_those_of_before:
        return
    # It stays there, for who has a position that was told before.
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
    connection.execute("UPDATE public.generations SET shape = NULL")


def begin_seals_anew(connection: psycopg.Connection[Any], kept: str) -> None:
    """Begin a chain that names the last seal of the old log, and seal all there is."""
    row = connection.execute(
        f"SELECT hash FROM {kept}.seals ORDER BY number DESC LIMIT 1"
    ).fetchone()
    begin_chain(connection, row[0] if row else None)
    seal_log(connection)


def verify(connection: psycopg.Connection[Any], deciders: Deciders, show: Show) -> None:
    """Ask of the new log all that can be asked of one. Raises RewriteRefused."""
    for check in all_checks(deciders, Vouching(), is_all=True):
        with show(check.name, check.length(connection)) as advance:
            for finding in check.find(connection, advance):
                raise RewriteRefused(f"the copy is not whole: {finding}")
