"""Check a database for faults that lose data: settings, triggers, rights."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from eventstore.ailment import Ailment, Check
from eventstore.database.rights_checks import (
    check_functions,
    check_logins,
    check_owner,
    check_public,
    check_rights,
)
from eventstore.errors import remedy_for
from eventstore.subscriptions.lag import find_misplaced
from eventstore.verifying.collations import check_collations

MAX_CLOCK_DRIFT = timedelta(seconds=2)
"""The maximum difference between the database's clock and ours, network included."""

TRIGGERS = {
    "events_hold_fence": ("readers skip events", "hold_fence"),
    "events_refuse_change": ("events can be changed", "refuse_change"),
    "seals_refuse_change": ("seals can be changed", "keep_seals"),
}
"""The triggers of the log, with the effect of their absence, and their files."""

UNIQUE = (
    "events_pkey",
    "events_stream_id_version_key",
    "commands_pkey",
    "seals_pkey",
    "unique_claims_pkey",
)
"""The unique indexes that the rules depend on."""


def diagnose(
    connection: psycopg.Connection[Any], checks: Sequence[Check] | None = None
) -> list[Ailment]:
    """
    Return the ailments of the database, those that lose data first.

    *checks* are functions of the connection that yield what they find; None is all of
    the engine's.
    """
    found = [a for check in checks or CHECKS for a in check(connection)]
    return sorted(found, key=lambda ailment: not ailment.is_fatal)


def check_durability(connection: psycopg.Connection[Any]) -> Iterator[Ailment]:
    for setting, consequence in (
        ("fsync", "a crash of the machine may lose the log"),
        ("full_page_writes", "a crash of the machine may tear pages of the log"),
        ("synchronous_commit", "a crash of the server loses what was promised"),
    ):
        row = connection.execute("SELECT current_setting(%s)", (setting,)).fetchone()
        if row == ("off",):
            yield Ailment(
                "durability",
                f"{setting} is off: {consequence}",
                f"set {setting} on",
                True,
            )


def check_sequence(connection: psycopg.Connection[Any]) -> Iterator[Ailment]:
    """Yield a cache of the sequence: ids below the floor, which readers would skip."""
    row = connection.execute(
        """
        SELECT s.seqcache, a.attidentity::text
        FROM pg_sequence AS s, pg_attribute AS a
        WHERE s.seqrelid = to_regclass('public.events_id_seq')
            AND a.attrelid = to_regclass('public.events') AND a.attname = 'id'
        """
    ).fetchone()
    if row is None:
        yield Ailment(
            "sequence",
            "there is no log here, or its ids have no sequence of their own",
            "run the migrations, or `install` where there are none",
            True,
        )
        return
    cache, identity = row
    if cache != 1:
        yield Ailment(
            "sequence",
            f"its sequence keeps {cache} ids back for a session: readers skip events",
            "ALTER SEQUENCE public.events_id_seq CACHE 1",
            True,
        )
    if identity != "a":
        yield Ailment(
            "sequence",
            "ids of events can be chosen, where readers have passed by",
            "ALTER TABLE public.events ALTER COLUMN id SET GENERATED ALWAYS",
            True,
        )


def check_triggers(connection: psycopg.Connection[Any]) -> Iterator[Ailment]:
    enabled = {
        name
        for (name,) in connection.execute(
            """
            SELECT tgname::text FROM pg_trigger
            WHERE tgenabled = 'A' AND tgrelid IN (
                to_regclass('public.events'), to_regclass('public.seals')
            )
            """
        )
    }
    for name, (consequence, file) in TRIGGERS.items():
        if name not in enabled:
            table = name.partition("_")[0]
            yield Ailment(
                "triggers",
                f"{name} is missing or not ENABLE ALWAYS: {consequence}",
                f"ALTER TABLE public.{table} ENABLE ALWAYS TRIGGER {name}; one that"
                f" is missing eventstore/sql/{file}.sql makes, run by the owner",
                True,
            )


def check_unique(connection: psycopg.Connection[Any]) -> Iterator[Ailment]:
    valid = {
        name
        for (name,) in connection.execute(
            """
            SELECT k.relname::text FROM pg_index AS i
            JOIN pg_class AS k ON k.oid = i.indexrelid
            WHERE k.relnamespace = 'public'::regnamespace
                AND i.indisunique AND i.indisvalid AND i.indisready
                AND i.indimmediate AND i.indpred IS NULL
            """
        )
    }
    for name in UNIQUE:
        if name not in valid:
            yield Ailment(
                "unique",
                f"the unique index {name} is missing or not valid: what must be there"
                " once can be there twice",
                f"REINDEX INDEX public.{name}, or make it again as the migrations do",
                True,
            )


def check_checkpoints(connection: psycopg.Connection[Any]) -> Iterator[Ailment]:
    """Yield checkpoints that are not in the log, except those that are unused."""
    row = connection.execute("SELECT to_regproc('public.checkpoint_fault')").fetchone()
    if row == (None,):
        # The schema is older; another check reports that.
        return
    for name, checkpoint in find_misplaced(connection):
        yield Ailment(
            "checkpoints",
            f"{name} stands at {checkpoint}, which is not in this log: events would be"
            " passed over, so it reads nothing",
            remedy_for(name),
        )


def check_clock(connection: psycopg.Connection[Any]) -> Iterator[Ailment]:
    before = datetime.now(UTC)
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    after = datetime.now(UTC)
    assert row is not None
    drift = max(before - row[0], row[0] - after, timedelta(0))
    if drift > MAX_CLOCK_DRIFT:
        yield Ailment(
            "clock",
            f"the database's clock and ours differ by {drift.total_seconds():.1f} s;"
            " events have the database's",
            "let both follow a time server",
        )


FATAL_CHECKS: Sequence[Check] = (
    check_durability,
    check_sequence,
    check_triggers,
    check_unique,
    check_collations,
)
"""
The checks before a process begins its work.

A fatal ailment ends the process; others are logged.
"""
CHECKS: Sequence[Check] = (
    *FATAL_CHECKS,
    check_checkpoints,
    check_owner,
    check_logins,
    check_rights,
    check_functions,
    check_public,
    check_clock,
)
