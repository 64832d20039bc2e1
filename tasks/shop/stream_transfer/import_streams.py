"""Import the events of a file into this log, all of them or none."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any
from uuid import UUID

import psycopg

from domain.orders.events import OrderCreated
from domain.products.events import ProductAdded
from eventstore.aggregates.decider import Deciders
from eventstore.claims import ClaimChange, changes_between
from eventstore.errors import AlreadyClaimed, KeyMadeElsewhere, WrongExpectedVersion
from eventstore.errors.unstorable import Unstorable
from eventstore.log.append import NO_STREAM, append
from eventstore.log.limits import MAX_EVENTS
from eventstore.personal.keyring import Keyring
from tasks.shop.history_import.comparing import waiting_for
from tasks.shop.history_import.errors import (
    ImportRefused,
    NumbersHeld,
    StreamsUsedOtherwise,
)
from tasks.shop.history_import.number_sequences import MAX_WAIT, move
from tasks.shop.history_import.plan import highest_number
from tasks.shop.history_import.preconditions import refuse_other_currency
from tasks.shop.stream_transfer.comparing import streams_there
from tasks.shop.stream_transfer.file import Line
from tasks.shop.stream_transfer.incoming import IncomingEvent, arriving, new_events
from tasks.shop.wiring import Shop, schema_mismatch


@dataclass(kw_only=True)
class StreamImportResult:
    """The imported streams, those that were there, and the number of new events."""

    new: Sequence[str]
    there: Sequence[str]
    events: int
    notes: list[str] = field(default_factory=list)


def bring_in(
    shop: Shop, lines: Sequence[Line], *, is_rehearsal: bool
) -> StreamImportResult:
    """
    Append the events of a file, unless they are there already.

    It is one transaction; a rehearsal rolls it back, and so finds the same errors as an
    import. Raises ImportRefused, and has then written nothing.
    """
    if wrong := schema_mismatch(shop.engine):
        raise ImportRefused(f"{wrong.what}; {wrong.remedy}")
    found = arriving(lines, shop.deciders)
    with shop.lent() as connection:
        refuse_currencies(connection, found, shop.settings.currency)
        try:
            with connection.transaction(force_rollback=is_rehearsal):
                return Transfer(connection, shop.deciders, found).carry_out()
        except WrongExpectedVersion as error:
            reason = "was written to by somebody else meanwhile"
            raise StreamsUsedOtherwise({error.stream_id: reason}) from error
        except AlreadyClaimed as error:
            raise claims_of(error) from error
        except KeyMadeElsewhere as error:
            reason = "somebody of the file got a key meanwhile: run it again"
            raise ImportRefused(reason) from error
        except Unstorable as error:
            raise ImportRefused(f"the log does not take it: {error}") from error
        except psycopg.errors.LockNotAvailable as error:
            raise NumbersHeld from error


def refuse_currencies(
    connection: psycopg.Connection[Any], found: Iterable[IncomingEvent], own: str
) -> None:
    """Refuse amounts in other currencies than the shop's: none are converted."""
    facts = (fact for one in found for fact in one.facts)
    priced = OrderCreated | ProductAdded
    currencies = {fact.currency for fact in facts if isinstance(fact, priced)}
    for currency in sorted(currencies - {own}):
        raise ImportRefused(
            f"the file has amounts in {currency}, and CURRENCY is {own}: take a new"
            f" database, and set it to {currency}"
        )
    if currencies:
        refuse_other_currency(connection, own)


def claims_of(error: AlreadyClaimed) -> ImportRefused:
    return ImportRefused(
        "what a stream claims is another one's here",
        tuple(f"{c.stream_id} claims the {c.scope} of another" for c in error.clashes),
    )


@dataclass
class Transfer:
    """The steps of an import, in the transaction of *connection*."""

    connection: psycopg.Connection[Any]
    deciders: Deciders
    found: Sequence[IncomingEvent]

    def carry_out(self) -> StreamImportResult:
        self.connection.execute(f"SET LOCAL lock_timeout = '{MAX_WAIT}'")
        keyring = Keyring(self.connection, self.deciders.masters)
        there = streams_there(self.connection, self.found, keyring)
        new = [one for one in self.found if one.line.stream_id not in there]
        streams = list(dict.fromkeys(one.line.stream_id for one in new))
        brought = StreamImportResult(new=streams, there=sorted(there), events=len(new))
        if new:
            self.move_numbers(streams)
            self.append(new, keyring)
            self.append_claims(new, brought.notes)
            self.refuse_missing_subjects(new)
        return brought

    def move_numbers(self, streams: Collection[str]) -> None:
        """Move the shop's number sequences past the numbers of *streams*."""
        for decider in self.deciders.all:
            begin = f"{decider.category}-"
            ids = [s.removeprefix(begin) for s in streams if s.startswith(begin)]
            highest = highest_number(ids)
            if decider.numbers is not None and highest:
                move(self.connection, decider.numbers, highest)
        promised = waiting_for(self.connection, streams)
        if promised:
            raise StreamsUsedOtherwise(promised)

    def append(self, new: Sequence[IncomingEvent], keyring: Keyring) -> None:
        ids: dict[UUID, UUID] = {
            one.line.metadata.event_id: one.event_id for one in self.found
        }
        for start in range(0, len(new), MAX_EVENTS):
            some = new[start : start + MAX_EVENTS]
            expected: dict[str, int] = {}
            for one in some:
                # The first of a stream's events has version 1: it expects NO_STREAM.
                version = one.line.version - 1 or NO_STREAM
                expected.setdefault(one.line.stream_id, version)
            events = new_events(some, ids, keyring)
            append(
                self.connection, events, expected=expected, new_keys=keyring.new_keys
            )
            keyring.note_stored()

    def append_claims(self, new: Sequence[IncomingEvent], notes: list[str]) -> None:
        """Append the claims of the streams' states, and forget forgotten subjects."""
        versions = {one.line.stream_id: one.line.version for one in new}
        facts: dict[str, list[Any]] = {}
        for one in new:
            facts.setdefault(one.line.stream_id, []).extend(one.facts)
        claims = [
            claim
            for stream_id, some in facts.items()
            for claim in self.claims_of(stream_id, some, notes)
        ]
        forgotten = [subject for one in new for subject in self.forgotten_by(one)]
        if claims or forgotten:
            append(
                self.connection,
                [],
                expected=versions,
                claims=claims,
                forgotten=forgotten,
            )

    def claims_of(
        self, stream_id: str, facts: Iterable[Any], notes: list[str]
    ) -> list[ClaimChange]:
        decider = self.deciders.of_stream(stream_id)
        if not decider.claims_something:
            return []
        try:
            state = reduce(decider.evolve, facts, decider.initial)
        except Exception as error:
            # Such a stream may be imported just because of this error.
            notes.append(f"{stream_id} has no state, and claims nothing: {error!r}")
            return []
        changes = changes_between((), decider.claims(state))
        return self.deciders.hashed(changes, stream_id)

    def forgotten_by(self, one: IncomingEvent) -> list[str]:
        decider = self.deciders.of_stream(one.line.stream_id)
        return [
            decider.subject(one.line.stream_id, fact)
            for fact in one.facts
            if isinstance(fact, tuple(decider.forgets))
        ]

    def refuse_missing_subjects(self, new: Sequence[IncomingEvent]) -> None:
        """
        Refuse events whose subject has no stream here.

        Commands cannot cause such a log, and subscriptions would stop at it.
        """
        subjects = {one.subject: one.line.stream_id for one in new}
        rows = self.connection.execute(
            """
            SELECT s FROM unnest(%s::text[]) AS s
            WHERE NOT EXISTS (SELECT FROM public.events AS e WHERE e.stream_id = s)
            ORDER BY s
            """,
            (list(subjects),),
        ).fetchall()
        if rows:
            raise ImportRefused(
                "the file is about somebody of whom there is no stream here",
                tuple(
                    f"{subjects[subject]} is about {subject}: export that, too"
                    for (subject,) in rows
                ),
            )
