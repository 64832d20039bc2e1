"""Lists of commands, page by page, each at a bounded cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, NamedTuple

import msgspec
import sqlalchemy as sa

from eventstore.cursors import decode_cursor, encode_cursor
from eventstore.journal.entries import ENTRY, IS_SCHEDULED, SCHEDULED, Entry
from eventstore.journal.schema import STATUSES, commands

DISPLAY_STATUSES = (SCHEDULED, *STATUSES)
"""All statuses of commands for display, with `scheduled`."""

SPAN = 50_000
"""Commands that one page scans: rare ones are found over several pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFilter:
    """The conditions of a list of commands; None is no condition."""

    status: str | None = None
    type: str | None = None
    stream_id: str | None = None
    principal: str | None = None
    accepted_before: datetime | None = None
    accepted_after: datetime | None = None


class CommandPage(NamedTuple):
    """Some commands in order; *following* is the cursor of those after them, if any."""

    entries: Sequence[Entry]
    following: str | None


class Place(NamedTuple):
    """The end of a page: its last command, in the order of its list."""

    seq: int
    due_at: datetime | None = None


TYPES = (
    Annotated[int, msgspec.Meta(ge=1)],
    Annotated[datetime, msgspec.Meta(tz=True)],
)
"""The values of a cursor; the time only if the list is ordered by it."""


def find_entries(
    connection: sa.Connection, wanted: CommandFilter, *, after: str | None, limit: int
) -> CommandPage:
    """
    Return at most *limit* commands: the scheduled by their time, others newest first.

    A page may have fewer and still be followed by others. Raises BadCursor.
    """
    place = place_in(after, wanted) if after is not None else None
    if wanted.status == SCHEDULED:
        return find_scheduled(connection, wanted, place, limit)
    if wanted.status in ("accepted", "failed"):
        return find_few(connection, wanted, place, limit)
    return find_among_all(connection, wanted, place, limit)


def find_scheduled(
    connection: sa.Connection, wanted: CommandFilter, place: Place | None, limit: int
) -> CommandPage:
    order = (commands.c.not_before, commands.c.seq)
    query = sa.select(*ENTRY).where(*conditions(wanted)).order_by(*order)
    if place is not None:
        begin = sa.tuple_(sa.literal(place.due_at), sa.literal(place.seq))
        query = query.where(sa.tuple_(*order) > begin)
    return cut(read(connection, query.limit(limit + 1)), wanted, limit)


def find_few(
    connection: sa.Connection, wanted: CommandFilter, place: Place | None, limit: int
) -> CommandPage:
    """Find among waiting or failed commands, which have an index of their own."""
    # Materialised: for the order and limit the planner would scan all commands.
    few = (
        sa.select(commands.c.id, commands.c.seq)
        .where(*conditions(wanted))
        .cte("few")
        .prefix_with("MATERIALIZED")
    )
    query = (
        sa.select(*ENTRY)
        .join_from(few, commands, commands.c.id == few.c.id)
        .order_by(few.c.seq.desc())
        .limit(limit + 1)
    )
    if place is not None:
        query = query.where(few.c.seq < place.seq)
    return cut(read(connection, query), wanted, limit)


def find_among_all(
    connection: sa.Connection, wanted: CommandFilter, place: Place | None, limit: int
) -> CommandPage:
    """Find among all commands: scan the next SPAN of them, and end the page."""
    first, last = connection.execute(
        sa.select(sa.func.min(commands.c.seq), sa.func.max(commands.c.seq))
    ).one()
    if last is None:
        return CommandPage([], None)
    end = place.seq if place is not None else last + 1
    begin = end - SPAN
    query = (
        sa.select(*ENTRY)
        .where(
            commands.c.seq >= begin,
            commands.c.seq < end,
            *conditions(wanted),
        )
        .order_by(commands.c.seq.desc())
        .limit(limit + 1)
    )
    listed = cut(read(connection, query), wanted, limit)
    if listed.following is None and begin > first:
        return CommandPage(listed.entries, cursor_of(Place(begin), wanted))
    return listed


def conditions(wanted: CommandFilter) -> list[sa.ColumnElement[bool]]:
    c = commands.c
    asked: list[sa.ColumnElement[bool]] = []
    if wanted.status == SCHEDULED:
        asked.append(IS_SCHEDULED)
    elif wanted.status is not None:
        # As a literal: a partial index is not used for a parameter.
        asked.append(c.status == sa.literal_column(f"'{status_in(wanted)}'"))
    if wanted.status == "accepted":
        asked.append(IS_SCHEDULED.is_not(True))
    if wanted.type is not None:
        asked.append(c.type == wanted.type)
    if wanted.stream_id is not None:
        asked.append(c.stream_id == wanted.stream_id)
    if wanted.principal is not None:
        asked.append(c.principal == wanted.principal)
    if wanted.accepted_before is not None:
        asked.append(c.accepted_at < wanted.accepted_before)
    if wanted.accepted_after is not None:
        asked.append(c.accepted_at >= wanted.accepted_after)
    return asked


def status_in(wanted: CommandFilter) -> str:
    """Return the wanted status, checked, as a literal of SQL."""
    return STATUSES[STATUSES.index(wanted.status or "")]


def read(connection: sa.Connection, query: sa.Select[tuple[object]]) -> list[Entry]:
    return [Entry(**row._mapping) for row in connection.execute(query)]


def cut(found: list[Entry], wanted: CommandFilter, limit: int) -> CommandPage:
    """Return a page of *found*: one entry beyond *limit* means another page."""
    if len(found) <= limit:
        return CommandPage(found, None)
    last = found[limit - 1]
    due_at = last.not_before if wanted.status == SCHEDULED else None
    return CommandPage(found[:limit], cursor_of(Place(last.seq, due_at), wanted))


def cursor_of(place: Place, wanted: CommandFilter) -> str:
    held = [value for value in place if value is not None]
    return encode_cursor(order_of(wanted), held)


def place_in(cursor: str, wanted: CommandFilter) -> Place:
    """Return the place in *cursor*, or raise BadCursor."""
    types = TYPES if wanted.status == SCHEDULED else TYPES[:1]
    return Place(*decode_cursor(cursor, order_of(wanted), types))


def order_of(wanted: CommandFilter) -> str:
    """Return the name of a list's order, so that cursors of other lists are refused."""
    return f"commands {wanted.status or 'all'}"
