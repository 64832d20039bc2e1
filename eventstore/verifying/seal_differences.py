"""What became of each event that is not as it was sealed: changed, missing, put in."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import psycopg

from eventstore.seals.sealed_event import SealedEvent, read_imprint
from eventstore.verifying import inlined_sql
from eventstore.verifying.finding import Finding, read_page


def name_differences(
    connection: psycopg.Connection[Any],
    seal: int,
    sealed: Sequence[SealedEvent],
    actual: Sequence[SealedEvent],
) -> Iterator[Finding]:
    """
    Yield the differences in the events of one stretch, in the order of positions.

    An event that only stands elsewhere has another id now: it is looked for, in the log
    and in the other seals, before it is called missing or put in.
    """
    was = {event.position: event for event in sealed}
    now = {event.position: event for event in actual}
    for position in sorted({**was, **now}):
        if position not in now:
            yield gone(connection, seal, was[position])
        elif position not in was:
            yield put_in(connection, seal, now[position], was)
        elif was[position] != now[position]:
            yield describe_changed(connection, seal, was[position], now[position])


def gone(connection: psycopg.Connection[Any], seal: int, event: SealedEvent) -> Finding:
    """Return what to say of a position that was sealed and is empty."""
    elsewhere = find_in_log(connection, event)
    if elsewhere is None:
        return finding(seal, event, "missing")
    return finding(seal, event, "changed", f"id was {event.position}, is {elsewhere}")


def put_in(
    connection: psycopg.Connection[Any],
    seal: int | None,
    event: SealedEvent,
    was: Mapping[int, SealedEvent] = MappingProxyType({}),
) -> Finding:
    """Return what to say of an event where none was sealed."""
    nearby = [p for p, other in was.items() if other.content == event.content]
    origin = nearby[0] if nearby else find_in_seals(connection, event)
    if origin is None:
        return finding(seal, event, "put in")
    return finding(seal, event, "changed", f"id was {origin}, is {event.position}")


def describe_changed(
    connection: psycopg.Connection[Any], seal: int, was: SealedEvent, now: SealedEvent
) -> Finding:
    """Return what to say of a position whose event is another one than was sealed."""
    elsewhere = find_in_log(connection, was)
    if elsewhere is None:
        columns = was.changed_columns(now)
        return finding(seal, was, "changed", "; ".join(columns))
    return finding(
        seal,
        was,
        "swapped",
        f"it stands at {elsewhere} now, and here stands {now.stream_id}"
        f" version {now.version}",
    )


def finding(
    seal: int | None, event: SealedEvent, what: str, detail: str = ""
) -> Finding:
    return Finding(
        check="seals",
        what=what,
        position=event.position,
        stream_id=event.stream_id,
        version=event.version,
        seal=seal,
        detail=detail,
    )


def find_in_log(connection: psycopg.Connection[Any], event: SealedEvent) -> int | None:
    """Return where the same event stands now, at another position than it was."""
    rows = read_page(
        connection,
        f"""
        SELECT i.imprint
        FROM public.events AS found
        CROSS JOIN {inlined_sql.imprint_of_one("found")}
        WHERE found.stream_id = %(stream_id)s
            AND found.version = %(version)s
            AND found.id <> %(position)s
        """,
        event._asdict(),
    )
    for (imprint,) in rows:
        for other in read_imprint(imprint):
            if other.content == event.content:
                return other.position
    return None


def find_in_seals(
    connection: psycopg.Connection[Any], event: SealedEvent
) -> int | None:
    """
    Return at which other position the same event was sealed.

    All seals are searched, which takes a second for a million events, and is done only
    for what was put in.
    """
    rows = connection.execute(
        """
        SELECT s.imprint FROM public.seals AS s
        WHERE position(%s::bytea in s.imprint) > 0
        """,
        (event.content,),
    )
    for (imprint,) in rows:
        for other in read_imprint(imprint):
            if other.content == event.content:
                return other.position
    return None
