"""The log against its seals: is the chain whole, is each stretch as it was."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import psycopg

from eventstore.seals.sealed_event import read_imprint
from eventstore.verifying import inlined_sql
from eventstore.verifying.finding import Advance, Check, Finding, read_page
from eventstore.verifying.seal_differences import name_differences, put_in

NAME = "seals"
PAGE = 50_000
"""Positions of the seals that one statement looks at: about half a second."""
MAX_EVENTS_OF_A_SEAL = 10_000
"""Events of a stretch that is believed: `seal.sql` makes none of more."""

# So many seals as have a page of events, one at least: a seal costs as much as fifty.
# The bounds are given twice, so that seals are found by their index. No more is read
# than a stretch may have: a forged range in a seal may be the whole log.
_PAGE = f"""
    WITH page AS MATERIALIZED (
        SELECT max(counted.number) AS last
        FROM (
            SELECT
                s.number,
                sum(s.count + 50) OVER (ORDER BY s.number) - s.count - 50 AS before
            FROM (
                SELECT number, count::bigint FROM public.seals
                WHERE number > %(after)s AND number <= %(last)s
                ORDER BY number
                LIMIT 1000
            ) AS s
        ) AS counted
        WHERE counted.before < %(page)s
    )
    SELECT
        s.number, s.after, s.up_to, s.count, s.previous, s.hash,
        looked.is_whole,
        looked.is_whole AND i.count = s.count AND i.imprint = s.imprint
    FROM public.seals AS s
    CROSS JOIN LATERAL (
        SELECT
            s.count <= %(largest)s AND s.hash = {inlined_sql.seal_hash("s")}
                AS is_whole
        OFFSET 0
    ) AS looked
    LEFT JOIN {
    inlined_sql.imprint("s.after", "s.up_to", "least(s.count, %(largest)s) + 1")
}
        ON looked.is_whole AND s.number > 0
    WHERE s.number > %(after)s AND s.number <= (SELECT last FROM page)
    ORDER BY s.number
"""


@dataclass(frozen=True, slots=True)
class SealCheck:
    """A seal, whether it is unchanged, and whether its events are."""

    number: int
    after: int
    up_to: int
    count: int
    previous: bytes
    hash: bytes
    is_whole: bool
    agrees: bool | None


@dataclass(slots=True)
class SealedExtent:
    """How far the seals vouch for the log: to before the first thing that is wrong."""

    up_to: int = 0
    is_broken: bool = False

    def extend(self, up_to: int) -> None:
        if not self.is_broken:
            self.up_to = up_to

    def end_before(self, position: int) -> None:
        if not self.is_broken:
            self.up_to = max(self.up_to, position - 1)
        self.is_broken = True

    def end_at(self, up_to: int) -> None:
        self.up_to = min(self.up_to, up_to)
        self.is_broken = True


def seals_check(vouching: SealedExtent) -> Check:
    """Return the check; *vouching* tells afterwards how far the seals vouch."""

    def find(
        connection: psycopg.Connection[Any], advance: Advance
    ) -> Iterator[Finding]:
        return find_broken(connection, advance, vouching)

    return Check(name=NAME, length=sealed_up_to, find=find)


def sealed_up_to(connection: psycopg.Connection[Any]) -> int:
    """Return the position that the newest seal ends with."""
    row = connection.execute(
        "SELECT up_to FROM public.seals ORDER BY number DESC LIMIT 1"
    ).fetchone()
    return int(row[0]) if row else 0


def find_broken(
    connection: psycopg.Connection[Any], advance: Advance, vouching: SealedExtent
) -> Iterator[Finding]:
    """Yield the differences from the seals, and the errors of these, in order."""
    # Before the newest seal is asked for: who seals moves both, in one transaction.
    checkpoint = last_checkpoint(connection)
    for finding in outside(connection, "e.id < 1"):
        vouching.end_before(1)
        yield finding
    before: SealCheck | None = None
    for seal in look_at_all(connection):
        # One by one: each takes a look around, and who asks may have enough of them.
        for finding in chain(links(before, seal), contents(connection, seal)):
            vouching.end_before(finding.position or seal.after + 1)
            yield finding
        vouching.extend(seal.up_to)
        advance(seal.up_to - seal.after)
        before = seal
    up_to = before.up_to if before else 0
    if up_to < checkpoint:
        vouching.end_before(up_to + 1)
        yield Finding(
            check=NAME,
            what="the newest seals are missing",
            detail=f"they end at position {up_to}, and {checkpoint} was sealed",
        )
    # The sequence is read after the snapshot was taken, so it is never behind it; and
    # once, not for each event.
    yield from outside(connection, f"e.id > {inlined_sql.last_drawn()}")


def last_checkpoint(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute(
        "SELECT checkpoint FROM public.subscriptions WHERE name = 'seals'"
    ).fetchone()
    return int(row[0]) if row else 0


def look_at_all(connection: psycopg.Connection[Any]) -> Iterator[SealCheck]:
    """Yield every seal up to the newest of now, having looked at its events."""
    row = connection.execute("SELECT max(number) FROM public.seals").fetchone()
    last = row[0] if row else None
    after = -1
    while last is not None and after < last:
        values = {
            "after": after,
            "last": last,
            "page": PAGE,
            "largest": MAX_EVENTS_OF_A_SEAL,
        }
        page = [SealCheck(*row) for row in read_page(connection, _PAGE, values)]
        if not page:
            return
        yield from page
        after = page[-1].number


def links(before: SealCheck | None, seal: SealCheck) -> Iterator[Finding]:
    """Yield the findings about a seal and the previous one."""
    expected = before.number + 1 if before else 0
    if seal.number != expected:
        yield Finding(
            check=NAME,
            what="missing",
            seal=expected,
            position=before.up_to + 1 if before else 1,
            detail=f"the next that is there is seal {seal.number}",
        )
    elif (
        before is not None
        and before.is_whole
        and seal.is_whole
        and (seal.previous, seal.after) != (before.hash, before.up_to)
    ):
        yield Finding(
            check=NAME, what="does not follow the one before it", seal=seal.number
        )


def contents(connection: psycopg.Connection[Any], seal: SealCheck) -> Iterator[Finding]:
    """Yield the findings about a seal or, if it is valid, about its events."""
    if not seal.is_whole:
        yield describe_changed_seal(
            seal,
            "its hash is another than that of what it says, so nothing vouches for"
            f" positions {seal.after + 1} to {seal.up_to}",
        )
    elif seal.agrees is False:
        yield from differences(connection, seal)


def differences(
    connection: psycopg.Connection[Any], seal: SealCheck
) -> Iterator[Finding]:
    """Yield the differences between the events of a stretch and its imprint."""
    rows = read_page(
        connection,
        f"""
        SELECT s.imprint, i.imprint
        FROM public.seals AS s
        CROSS JOIN {inlined_sql.imprint("s.after", "s.up_to", "%(most)s")}
        WHERE s.number = %(number)s
        """,
        {"most": MAX_EVENTS_OF_A_SEAL + 1, "number": seal.number},
    )
    for sealed, actual in rows:
        try:
            was, now = read_imprint(sealed), read_imprint(actual)
        except ValueError as error:
            yield describe_changed_seal(seal, str(error))
            return
        if len(now) > MAX_EVENTS_OF_A_SEAL:
            # So many were put in that what is behind them was not read.
            was = [event for event in was if event.position <= now[-1].position]
        if was == now:
            yield describe_changed_seal(seal, "it does not count what is in it")
        yield from name_differences(connection, seal.number, was, now)


def describe_changed_seal(seal: SealCheck, detail: str) -> Finding:
    return Finding(check=NAME, what="changed", seal=seal.number, detail=detail)


def outside(connection: psycopg.Connection[Any], where: str) -> Iterator[Finding]:
    """Yield the first events of where no append puts one."""
    rows = read_page(
        connection,
        f"""
        SELECT found.id, i.imprint
        FROM (
            SELECT e.id FROM public.events AS e WHERE {where} ORDER BY e.id LIMIT 100
        ) AS found
        CROSS JOIN {inlined_sql.imprint_of_one("found")}
        """,
        {},
    )
    for position, imprint in rows:
        events = read_imprint(imprint)
        if events:
            yield put_in(connection, None, events[0])
        else:
            yield Finding(check=NAME, what="put in", position=position)
