"""
Rewrite the log: a copy in the present shapes replaces it, and the old log is kept.

All of it is one transaction. So after a kill, a crash or a full disk at any point the
log is unchanged, and nothing is left over. The practice is Greg Young's
copy-and-replace ("Versioning in an Event Sourced System").
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import psycopg
import sqlalchemy as sa

from eventstore.aggregates.decider import Deciders
from eventstore.connection import driver_connection
from eventstore.errors import RewriteRefused
from eventstore.log.read import last_drawn
from eventstore.rewriting.archived_logs import keep_log
from eventstore.rewriting.commands import encrypt_commands, read_clear
from eventstore.rewriting.comparing import compare
from eventstore.rewriting.copying import (
    Kind,
    Places,
    Tally,
    copy_batch,
    read_changes,
)
from eventstore.rewriting.keys import keep_new_keys
from eventstore.rewriting.preconditions import (
    refuse_dependents,
    refuse_others,
    refuse_waiting,
)
from eventstore.rewriting.swapping import (
    begin_seals_anew,
    carry_over,
    find_checkpoints,
    is_granted,
    make_tables,
    note_events,
    swap,
)
from eventstore.roles import grant_rights
from eventstore.seals.seals import seal_log
from eventstore.verifying.checks import checks_of_a_copy
from eventstore.verifying.finding import Advance
from eventstore.verifying.seals import SealedExtent, seals_check

MAX_FINDINGS = 1_000
"""The highest number of findings that are stored with a log that was changed."""

Show = Callable[[str, int], AbstractContextManager[Advance]]
"""Reports progress: called with a step's name and size, it returns a counter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RewritePreview:
    """
    What a rewrite would do.

    *events* is the number of events in the log, *kinds* counts them by what becomes of
    them, *commands* is the number of commands in the journal that would be encrypted.
    """

    events: int
    kinds: Sequence[Kind]
    commands: int

    @property
    def changed(self) -> int:
        """The number of events that would change."""
        return sum(kind.count for kind in self.kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class RewriteResult(RewritePreview):
    """
    What a rewrite did, and the old log's place.

    *kept* is the name of the schema that has the old log. If *has_same_places* is
    False, positions in read models are not those of the log any more: the read models
    are marked as outdated, and have to be rebuilt.
    """

    kept: str
    has_same_places: bool


def rehearse(
    connection: sa.Connection, deciders: Deciders, show: Show
) -> RewritePreview:
    """
    Return what rewriting would do, without doing it; the application may be running.

    *show* is called with the name of each step and the number of its parts, and returns
    a context manager that gives a function to count them.
    """
    driver, tally = driver_connection(connection), Tally()
    with show("reading", count_events(driver)) as advance:
        for batch, changes, _ in read_changes(driver, deciders):
            for event, change in zip(batch, changes, strict=True):
                tally.note(event, change)
            advance(len(batch))
    commands = sum(len(clear) for clear in read_clear(driver, deciders))
    return RewritePreview(events=tally.events, kinds=tally.kinds, commands=commands)


def rewrite(
    connection: sa.Connection,
    deciders: Deciders,
    show: Show,
    *,
    although_changed: bool = False,
) -> RewriteResult:
    """
    Replace the log by a copy in the present shapes, and keep the old log.

    Unencrypted personal data are encrypted in the copy, and in the journal. Events keep
    their order, and those that stay one event their position too, unless one before
    them was split. Checkpoints and the journal are adapted, snapshots are dropped, and
    a new chain of seals names the last of the old one.

    Runs in the transaction of *connection*, and the caller commits. Raises
    RewriteRefused, with the reason, while others are connected, if foreign objects
    depend on the tables of the log, if the copy is not the same history, and if the log
    differs from its seals: the new chain would confirm the change. With
    *although_changed* it is copied all the same, and the differences are kept with the
    old log. Raises RolesMissing as `grant_rights` does.
    """
    driver = driver_connection(connection)
    refuse_others(driver)
    # No other session is connected; new ones wait until the end of this.
    driver.execute(
        "LOCK TABLE public.commands, public.events, vault.keys IN EXCLUSIVE MODE"
    )
    refuse_dependents(driver)
    findings = find_changes(driver, show)
    if findings and not although_changed:
        raise RewriteRefused(
            f"it is not what was sealed: {findings[0]}. recount verify tells all; to"
            " copy it as it is would make the new seals vouch for that"
        )
    sealed = seal_log(driver)
    if sealed.error is not None:
        raise RewriteRefused(str(sealed.error)) from sealed.error
    make_tables(connection)
    tally, places = copy(driver, deciders, show)
    refuse_waiting(driver, places)
    with show("comparing", tally.events) as advance:
        compare(driver, deciders, advance)
    commands = close_journal(driver, deciders)
    has_roles = is_granted(driver)
    drawn = last_drawn(driver) + places.moved
    placed = find_checkpoints(driver)
    kept = keep_log(driver, findings)
    swap(connection, drawn)
    if has_roles:
        grant_rights(connection)
    carry_over(driver, places, kept)
    note_events(driver, placed)
    begin_seals_anew(driver, kept)
    verify(driver, deciders, show)
    return RewriteResult(
        events=tally.events,
        kinds=tally.kinds,
        commands=commands,
        kept=kept,
        has_same_places=places.are_those_of_before,
    )


def find_changes(connection: psycopg.Connection[Any], show: Show) -> list[str]:
    """Return what the seals say was changed, in the words of `recount verify`."""
    check = seals_check(SealedExtent())
    with show("checking the old seals", check.length(connection)) as advance:
        return [str(f) for f in islice(check.find(connection, advance), MAX_FINDINGS)]


def count_events(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT count(*) FROM public.events").fetchone()
    return row[0] if row else 0


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


def close_journal(connection: psycopg.Connection[Any], deciders: Deciders) -> int:
    """Encrypt personal data in the journal; return the number of changed commands."""
    closed = 0
    for clear in read_clear(connection, deciders):
        encrypt_commands(connection, clear, deciders)
        closed += len(clear)
    return closed


def verify(connection: psycopg.Connection[Any], deciders: Deciders, show: Show) -> None:
    """Ask of the new log all that can be asked of one. Raises RewriteRefused."""
    for check in checks_of_a_copy(deciders):
        with show(check.name, check.length(connection)) as advance:
            for finding in check.find(connection, advance):
                raise RewriteRefused(f"the copy is not whole: {finding}")
