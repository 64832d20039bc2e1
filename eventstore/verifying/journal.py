"""The journal and the log: each event's command, and each command's events."""

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID

import psycopg

from eventstore.verifying.finding import Advance, Check, Finding, read_page

EVENTS = "events' commands"
COMMANDS = "commands' events"
PAGE = 20_000

# Both look things up by primary key: a page costs the same, however much there is.
# Nothing waits in between, as an append writes events and commands at once.

# An event that was imported, or appended without the journal, has no command there; and
# one from before the last pruning may have none any more. An event and the end of its
# command are of the same moment.
_PRUNED = """
    SELECT to_char(
        max(finished_before) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
    )
    FROM public.prunings
"""
_EVENTS = """
    WITH page AS MATERIALIZED (
        SELECT
            e.id, e.stream_id, e.version, e.metadata ->> 'command_id' AS command_id,
            e.metadata,
            e.metadata ? 'source' AS is_imported,
            -- Written in one form, in UTC: texts are in the order of the times.
            e.metadata ->> 'recorded_at' COLLATE "C" < %(pruned)s AS may_be_pruned
        FROM public.events AS e
        WHERE e.id > %(after)s AND e.id <= %(last)s
        ORDER BY e.id
        LIMIT %(page)s
    ), judged AS (
        SELECT page.*, CASE
            WHEN page.command_id IS NULL OR page.is_imported THEN NULL
            WHEN c.id IS NULL AND page.may_be_pruned THEN NULL
            WHEN c.id IS NULL THEN 'its command is not in the journal'
            WHEN c.status <> 'succeeded' THEN 'its command is ' || c.status
            WHEN %(is_journaled)s
                AND page.metadata ->> 'causation_id' IS DISTINCT FROM page.command_id
                THEN 'its cause is not its command'
            WHEN %(is_journaled)s AND (
                page.metadata ->> 'correlation_id'
                    IS DISTINCT FROM c.metadata ->> 'correlation_id'
                OR page.metadata ->> 'actor' IS DISTINCT FROM c.metadata ->> 'actor'
            )
                THEN 'its command has another conversation or actor'
            -- The append writes both, with the same moment.
            WHEN %(is_journaled)s
                AND page.metadata ->> 'recorded_at' IS DISTINCT FROM to_char(
                c.finished_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
            )
                THEN 'it was not recorded when its command was finished'
            WHEN c.position IS NULL OR c.position < page.id
                THEN 'its command''s position is before it'
            WHEN c.position = page.id THEN NULL
            WHEN last_event.id IS NULL THEN 'its command''s position has no event'
            WHEN last_event.metadata ->> 'command_id' IS DISTINCT FROM page.command_id
                THEN 'its command''s position is that of another one'
        END AS what
        FROM page
        LEFT JOIN LATERAL (
            SELECT * FROM public.commands AS found
            -- What is no UUID is no command's id.
            WHERE found.id = CASE
                WHEN page.command_id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
                THEN page.command_id::uuid
            END
            OFFSET 0
        ) AS c ON true
        LEFT JOIN LATERAL (
            SELECT e.id, e.metadata FROM public.events AS e
            -- The last event of its command is at hand already.
            WHERE e.id = c.position AND c.position <> page.id
            OFFSET 0
        ) AS last_event ON true
    )
    SELECT id, stream_id, version, command_id, what
    FROM judged
    WHERE what IS NOT NULL OR id = (SELECT max(id) FROM page)
    ORDER BY id
"""

# A command that was answered by nothing has the position that it found its stream at.
_COMMANDS = """
    WITH page AS MATERIALIZED (
        SELECT c.id, c.stream_id, c.status, c.position
        FROM public.commands AS c
        WHERE c.id > %(after)s::uuid
        ORDER BY c.id
        LIMIT %(page)s
    ), judged AS (
        SELECT page.*, CASE
            WHEN page.position IS NULL THEN NULL
            WHEN e.id IS NULL THEN 'its position has no event'
            WHEN e.stream_id <> page.stream_id
                AND e.metadata ->> 'command_id' IS DISTINCT FROM page.id::text
                THEN 'its position is that of another stream'
        END AS what
        FROM page
        LEFT JOIN LATERAL (
            SELECT found.id, found.stream_id, found.metadata
            FROM public.events AS found
            WHERE found.id = page.position
            OFFSET 0
        ) AS e ON true
    )
    SELECT id, stream_id, position, status, (SELECT count(*) FROM page), what
    FROM judged
    WHERE what IS NOT NULL OR id = (SELECT id FROM page ORDER BY id DESC LIMIT 1)
    ORDER BY id
"""


def journal_checks(*, is_journaled: bool) -> list[Check]:
    """
    Return the checks that events and commands of the journal name each other.

    *is_journaled* says that the drain has appended what came of commands: then an event
    has its command's conversation, actor and time.
    """
    find = partial(find_wrong_events, is_journaled=is_journaled)
    return [
        Check(name=EVENTS, length=last_position, find=find),
        Check(name=COMMANDS, length=count_commands, find=find_wrong_commands),
    ]


def last_position(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT max(id) FROM public.events").fetchone()
    return (row and row[0]) or 0


def find_wrong_events(
    connection: psycopg.Connection[Any], advance: Advance, *, is_journaled: bool
) -> Iterator[Finding]:
    """Yield events whose command is unknown, did not succeed, or points elsewhere."""
    after, last = 0, last_position(connection)
    ((pruned,),) = connection.execute(_PRUNED).fetchall()
    while after < last:
        values = {
            "after": after,
            "last": last,
            "page": PAGE,
            "pruned": pruned,
            "is_journaled": is_journaled,
        }
        rows = read_page(connection, _EVENTS, values)
        if not rows:
            return
        for position, stream_id, version, command_id, what in rows:
            if what is not None:
                yield Finding(
                    check=EVENTS,
                    what=what,
                    position=position,
                    stream_id=stream_id,
                    version=version,
                    command_id=command_id,
                )
        advance(rows[-1][0] - after)
        after = rows[-1][0]


def count_commands(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("SELECT count(*) FROM public.commands").fetchone()
    return int(row[0]) if row else 0


def find_wrong_commands(
    connection: psycopg.Connection[Any], advance: Advance
) -> Iterator[Finding]:
    """Yield commands whose position has no event, or one of another stream."""
    after = UUID(int=0)
    while True:
        rows = read_page(connection, _COMMANDS, {"after": after, "page": PAGE})
        if not rows:
            return
        for command_id, stream_id, position, status, _, what in rows:
            if what is not None:
                yield Finding(
                    check=COMMANDS,
                    what=what,
                    position=position,
                    stream_id=stream_id,
                    command_id=str(command_id),
                    detail=status,
                )
        after = rows[-1][0]
        advance(rows[-1][4])
