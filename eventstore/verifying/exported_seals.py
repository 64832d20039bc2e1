"""Compares the chain with exported seals: was it rewritten, or its end cut off."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import psycopg

from eventstore.seals.export import ExportedSeal
from eventstore.seals.seals import Origin, find_origin
from eventstore.verifying.finding import Advance, Check, Finding
from eventstore.verifying.seals import SealedExtent

NAME = "exported seals"


def against_check(exported: Sequence[ExportedSeal], vouching: SealedExtent) -> Check:
    """
    Return the check that holds the chain against *exported*, which is by number.

    Where it says otherwise, *vouching* ends with the last seal that is as it was.
    """

    def find(
        connection: psycopg.Connection[Any], advance: Advance
    ) -> Iterator[Finding]:
        contradiction = find_contradiction(connection, exported)
        if contradiction is not None:
            vouching.end_at(contradiction.vouched_up_to)
            yield contradiction.finding
        advance(len(exported))

    return Check(name=NAME, length=lambda _: len(exported), find=find)


class Contradiction(NamedTuple):
    """The first exported seal that the chain does not have; *last_good* it has."""

    seal: ExportedSeal
    what: str
    last_good: ExportedSeal | None = None

    @property
    def vouched_up_to(self) -> int:
        return 0 if self.last_good is None else self.last_good.up_to

    @property
    def finding(self) -> Finding:
        since = "" if self.last_good is None else f"; {self.last_good} is as it was"
        return Finding(
            check=NAME,
            what=self.what,
            seal=self.seal.number,
            position=self.seal.up_to,
            detail=f"it vouched for the log up to there{since}",
        )


def find_contradiction(
    connection: psycopg.Connection[Any], exported: Sequence[ExportedSeal]
) -> Contradiction | None:
    """
    Return the first of *exported* that the chain does not have.

    A hash covers all seals before it: the chain was rewritten, or ends, somewhere
    between that one and the last one that it has.
    """
    origin = find_origin(connection)
    if origin is None:
        return Contradiction(exported[0], "the chain has no beginning any more")
    if is_continued(origin, exported):
        return None
    known = hashes_of(connection, [seal.number for seal in exported])
    last_good: ExportedSeal | None = None
    for seal in exported:
        if seal.log != origin.log:
            what = f"it is of the log {seal.log}, and this one is {origin.log}"
            return Contradiction(seal, what)
        if seal.number not in known:
            what = "it is missing: the end of the chain was cut off"
            return Contradiction(seal, what, last_good)
        if known[seal.number] != seal.hash:
            what = "it is another one now: the chain was rewritten"
            return Contradiction(seal, what, last_good)
        last_good = seal
    return None


def hashes_of(
    connection: psycopg.Connection[Any], numbers: Sequence[int]
) -> dict[int, str]:
    rows = connection.execute(
        "SELECT number, encode(hash, 'hex') FROM public.seals WHERE number = ANY (%s)",
        (list(numbers),),
    )
    return dict(rows.fetchall())


def is_continued(origin: Origin, exported: Sequence[ExportedSeal]) -> bool:
    """Return whether the log was copied from the exported one, with all its seals."""
    newest = exported[-1]
    return newest.log != origin.log and newest.hash == origin.previous.hex()
