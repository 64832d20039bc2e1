"""The reason why a reader is stopped: a word for programs, a sentence for operators."""

from contextlib import suppress
from typing import Any

import msgspec
import psycopg

from eventstore.errors import (
    CannotProject,
    CheckpointNotInLog,
    LiveRowsBehind,
    ReaderEnded,
    cause_of,
)
from eventstore.errors.text import error_text
from eventstore.errors.unreadable import (
    KeyLost,
    MasterKeyMissing,
    NewerSchema,
    TamperedEnvelope,
    UnknownEventType,
    UnreadableEvent,
    UpcasterFailed,
    WrongMasterKey,
)

CHECKPOINT = "checkpoint"
EVENT = "event"
CODE = "code"
RIGHTS = "rights"
WAITS = "waits"

KINDS: tuple[tuple[str, tuple[type[Exception], ...]], ...] = (
    (CHECKPOINT, (CheckpointNotInLog,)),
    (EVENT, (UnknownEventType, UnreadableEvent, NewerSchema, UpcasterFailed)),
    ("keys", (TamperedEnvelope, KeyLost, MasterKeyMissing, WrongMasterKey)),
    ("table", (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)),
    (RIGHTS, (psycopg.errors.InsufficientPrivilege,)),
    (WAITS, (LiveRowsBehind,)),
    ("killed", (ReaderEnded,)),
    ("disk", (psycopg.errors.DiskFull,)),
    ("database", (psycopg.Error,)),
)
"""The first that fits; what fits none is a bug in the code."""


def kind_of(error: Exception) -> str:
    """Return the kind of what a reader stands still for: a word without any value."""
    cause = cause_of(error)
    return next((kind for kind, types in KINDS if isinstance(cause, types)), CODE)


def as_kept(error: Exception) -> str:
    """Return what is kept of it, as JSON."""
    sentence = str(error) if isinstance(error, CannotProject) else said_of(error)
    kept = {"kind": kind_of(error), "error": sentence}
    return msgspec.json.encode(kept).decode()


def said_of(error: Exception) -> str:
    if isinstance(error, CheckpointNotInLog):
        return error_text(error)
    return f"{type(error).__name__}: {error_text(error)}"


def note_stop(connection: psycopg.Connection[Any], name: str, error: Exception) -> bool:
    """
    Store that a reader could not read, if that is possible; return whether it is.

    A stored error is not written again, and a row that another session holds is left to
    it. Neither `moved_at` nor the checkpoint changes.
    """
    kept = as_kept(error)
    is_noted = False
    with suppress(psycopg.Error), connection.transaction():
        row = connection.execute(
            """
            WITH free AS MATERIALIZED (
                SELECT name FROM public.subscriptions
                WHERE name = %(name)s AND error IS DISTINCT FROM %(error)s::text::jsonb
                FOR UPDATE SKIP LOCKED
            ), noted AS (
                UPDATE public.subscriptions AS s
                SET error = %(error)s::text::jsonb, stopped_at_position = NULL,
                    stopped_since = clock_timestamp()
                FROM free WHERE s.name = free.name
                RETURNING s.name
            )
            SELECT EXISTS (SELECT FROM noted) OR EXISTS (
                SELECT FROM public.subscriptions
                WHERE name = %(name)s AND error = %(error)s::text::jsonb
            )
            """,
            {"name": name, "error": kept},
        ).fetchone()
        is_noted = row == (True,)
    return is_noted
