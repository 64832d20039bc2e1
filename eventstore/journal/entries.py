"""Read the journal: a command's status, and the waiting commands."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from eventstore.encryption.envelope import FORGOTTEN, PERSONAL, decrypt_fields
from eventstore.encryption.keys import MasterKeys, WrappedKey
from eventstore.errors.unreadable import MasterKeyMissing
from eventstore.journal.schema import (
    HAS_TURN,
    IS_FOR_LATER,
    TURN,
    command_incidents,
    commands,
)
from eventstore.log.schema import events

SCHEDULED = "scheduled"
"""The display status of an accepted command before its time; no row has it."""

MAX_EVENTS = 100
"""The events found of one command at most; an append has at most ten times as many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """
    A command as the journal has it.

    *seq* is the number of its acceptance. *expected_version* is the version that the
    sender has seen, None for any. *status* is one of the texts `accepted`, `succeeded`,
    `rejected`, `failed`, `abandoned` and `cancelled`; *error* has the fields of the
    rejection or failure. *attempts* is the number of times that a runner took it,
    *conflicts* the number of times that another writer was faster. *ran_by* is the name
    of its last runner. The times have a zone.
    """

    id: UUID
    seq: int
    stream_id: str
    type: str
    data: dict[str, Any]
    principal: str
    expected_version: int | None
    status: str
    error: dict[str, Any] | None
    position: int | None
    accepted_at: datetime
    not_before: datetime | None
    is_scheduled: bool
    next_try_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    attempts: int
    conflicts: int
    ran_by: str | None

    @property
    def display_status(self) -> str:
        """Its status, or `scheduled` before its time."""
        return SCHEDULED if self.is_scheduled else self.status

    @property
    def due_at(self) -> datetime:
        """The time from which it waits."""
        return self.not_before or self.accepted_at


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingCount:
    """
    The number of waiting commands, the age of the oldest, the number of failed ones.

    The oldest is the one with the lowest turn; *age* is in seconds, by the database's
    clock, and never negative. *clock_stepped* means that the age is not reliable: a
    command was accepted in the future, or earlier than one before it. Scheduled
    commands do not wait before their time.
    """

    count: int
    oldest: datetime | None
    failed: int
    scheduled: int
    age: float = 0.0
    clock_stepped: bool = False


# By the database's clock, which decides when a scheduled command is due.
IS_SCHEDULED = sa.and_(IS_FOR_LATER, commands.c.not_before > sa.func.clock_timestamp())
STEP = timedelta(seconds=0.5)
"""Concurrent acceptances differ by less than this, in any order."""
ENTRY = [
    IS_SCHEDULED.is_(True).label(name) if name == "is_scheduled" else commands.c[name]
    for name in Entry.__slots__
]
"""What is selected for an Entry."""


def find(connection: sa.Connection, command_id: UUID) -> Entry | None:
    """Return the command called *command_id*, or None."""
    row = connection.execute(
        sa.select(*ENTRY).where(commands.c.id == command_id)
    ).one_or_none()
    return None if row is None else Entry(**row._mapping)


def find_scheduled(connection: sa.Connection, stream_ids: Sequence[str]) -> list[Entry]:
    """Return the commands to these streams that wait for their time, the next first."""
    rows = connection.execute(
        sa.select(*ENTRY)
        .where(
            commands.c.status == sa.literal_column("'accepted'"),
            IS_SCHEDULED,
            commands.c.stream_id == sa.func.any(sa.cast(stream_ids, ARRAY(sa.Text))),
        )
        .order_by(commands.c.not_before, commands.c.seq)
    )
    return [Entry(**row._mapping) for row in rows]


def find_many(
    connection: sa.Connection, command_ids: Sequence[UUID]
) -> dict[UUID, Entry]:
    """Return the commands with these ids that there are, by id."""
    rows = connection.execute(
        sa.select(*ENTRY).where(
            commands.c.id == sa.func.any(sa.cast(command_ids, ARRAY(sa.Uuid)))
        )
    )
    found = (Entry(**row._mapping) for row in rows)
    return {entry.id: entry for entry in found}


class CausedEvent(NamedTuple):
    """An event that a command has caused, and its places."""

    type: str
    version: int
    position: int


def find_events(connection: sa.Connection, entry: Entry) -> list[CausedEvent]:
    """
    Return the events that *entry* has caused in its stream, in order.

    A command's position is that of its last event, and its others are right before it:
    two look-ups by key find them, however long the stream and the log are.
    """
    if entry.status != "succeeded" or entry.position is None:
        return []
    last = events.alias("last")
    rows = connection.execute(
        sa.select(events.c.type, events.c.version, events.c.id)
        .join_from(last, events, events.c.stream_id == last.c.stream_id)
        .where(
            last.c.id == entry.position,
            events.c.version > last.c.version - MAX_EVENTS,
            events.c.version <= last.c.version,
            events.c.metadata["command_id"].astext == str(entry.id),
        )
        .order_by(events.c.version)
    )
    return [CausedEvent(*row) for row in rows]


class Incident(NamedTuple):
    """An incident of a command, such as a conflict or an error."""

    kind: str
    at: datetime
    detail: dict[str, Any]


def find_incidents(connection: sa.Connection, command_id: UUID) -> list[Incident]:
    """Return the incidents of a command, in order."""
    rows = connection.execute(
        sa.select(
            command_incidents.c.kind, command_incidents.c.at, command_incidents.c.detail
        )
        .where(command_incidents.c.command_id == command_id)
        .order_by(command_incidents.c.id)
    )
    return [Incident(*row) for row in rows]


def count_waiting(connection: sa.Connection) -> WaitingCount:
    """Return the counts; it reads waiting and failed commands, not finished ones."""
    now = sa.func.clock_timestamp()
    failed = commands.c.status == sa.literal_column("'failed'")
    before = sa.func.lag(commands.c.accepted_at).over(order_by=commands.c.seq)
    waiting = (
        sa.select(
            sa.func.coalesce(commands.c.not_before, commands.c.accepted_at).label(
                "due_at"
            ),
            sa.case((HAS_TURN, TURN)).label("turn"),
            sa.or_(HAS_TURN, commands.c.not_before <= now).label("is_due"),
            sa.or_(
                commands.c.accepted_at > now,
                sa.func.coalesce(commands.c.accepted_at < before - STEP, False),
            ).label("is_bent"),
        )
        .where(commands.c.status == sa.literal_column("'accepted'"))
        .subquery()
    )
    in_turn = aggregate_order_by(
        waiting.c.due_at, waiting.c.turn.asc().nulls_last(), waiting.c.due_at
    )
    due, oldest, all_of_them, stepped, moment = connection.execute(
        sa.select(
            sa.func.count().filter(waiting.c.is_due),
            # Only the first of them: not a backlog of a million.
            sa.type_coerce(
                sa.func.array_agg(in_turn).filter(waiting.c.is_due),
                ARRAY(sa.TIMESTAMP(timezone=True)),
            )[1],
            sa.func.count(),
            sa.func.coalesce(sa.func.bool_or(waiting.c.is_bent), False),
            now,
        )
    ).one()
    count_failed = connection.scalar(
        sa.select(sa.func.count()).select_from(commands).where(failed)
    )
    return WaitingCount(
        count=due,
        oldest=oldest,
        age=max((moment - oldest).total_seconds(), 0.0) if oldest else 0.0,
        clock_stepped=stepped,
        failed=count_failed or 0,
        scheduled=all_of_them - due,
    )


def decrypt_entry(
    connection: psycopg.Connection[Any], entry: Entry, masters: MasterKeys | None
) -> Entry | None:
    """
    Return *entry* with its personal fields, or None if they were forgotten.

    It uses the command's own key, which decrypts nothing else.
    """
    if PERSONAL not in entry.data:
        return entry
    if masters is None:
        raise MasterKeyMissing
    row = connection.execute(
        "SELECT id, master, wrapped FROM public.command_key(%s)", (entry.id,)
    ).fetchone()
    if row is None or row[2] is None:
        return None
    key = masters.unwrap(WrappedKey(id=row[0], master=row[1], wrapped=row[2]))
    text = decrypt_fields(
        msgspec.json.encode(entry.data).decode(),
        entry.id,
        lambda key_id: key if key_id == key.id else None,
    )
    data = msgspec.json.decode(text)
    return None if FORGOTTEN in data else replace(entry, data=data)
