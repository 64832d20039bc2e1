"""One reader for all: a pass reads the log once for all subscriptions that are near."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import psycopg

from eventstore.encryption.envelope import PERSONAL
from eventstore.errors import cause_of
from eventstore.errors.refusals import ends_the_session
from eventstore.log.codec import DecodedEvents
from eventstore.log.events import RecordedEvent
from eventstore.log.read import read_all
from eventstore.personal.keyring import Keyring
from eventstore.steps import Statement, send_all, take_steps
from eventstore.subscriptions.read_position import note_position
from eventstore.subscriptions.subscription import Batch, Subscription

FAR = 5_000
"""Positions behind the first of them from which on a subscription is read alone."""
STATEMENT_TIMEOUT_MS = 1_000
"""A statement that takes longer is one of a subscription that is better read alone."""


@dataclass(frozen=True, slots=True)
class SharedPass:
    """
    What one pass has done; where *error* is set, all of it was undone.

    *checkpoint* is the position up to which the log was read, *handled* the number of
    events by subscription. *to_read_alone* are subscriptions that are far behind, whose
    checkpoint is not in this log, that have events and no steps, or whose steps left
    the batch for later. *skipped* are those
    that another session holds, that are set apart, that have no row, or whose
    generation is not live any more. *is_last* says whether all settled events were
    read.
    """

    checkpoint: int = 0
    handled: Mapping[str, int] = field(default_factory=dict)
    to_read_alone: Sequence[str] = ()
    skipped: Sequence[str] = ()
    is_last: bool = True
    error: Exception | None = field(default=None, compare=False)


class HeldCheckpoint(NamedTuple):
    """A row of `hold_checkpoints`."""

    name: str
    checkpoint: int
    has_stopped: bool
    fault: str | None
    settled: int
    has_parked: bool


def read_together(
    connection: psycopg.Connection,
    subscriptions: Sequence[Subscription],
    *,
    batch: int = 500,
    interruptions: tuple[type[Exception], ...] = (),
) -> SharedPass:
    """
    Read the next *batch* events once, and hand them to all *subscriptions*.

    In one transaction that holds their checkpoints. The number of round trips is that
    of the questions of the one that asks most often, and does not grow with their
    number: each asks for all that it needs at once, and all of them together. What they
    write travels with the commit. *connection* is in autocommit.

    An error undoes the pass and is returned: its subscription is unknown, so read each
    alone then. Raises the driver's error if the database is away, and *interruptions*,
    the errors that a runner's own time limit raises.
    """
    try:
        with connection.pipeline():
            # Not `transaction()`: it waits for BEGIN, before COMMIT, and after it.
            connection.execute("BEGIN")
            connection.execute(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT_MS}")
            done = Pass(connection, subscriptions).read(batch)
            connection.execute("COMMIT")
        return done
    except Exception as error:
        if isinstance(cause_of(error), interruptions):
            raise cause_of(error) from error
        if ends_the_session(connection, error):
            raise
        connection.rollback()
        return SharedPass(error=error)


class Pass:
    """One pass, within its transaction."""

    def __init__(
        self,
        connection: psycopg.Connection,
        subscriptions: Sequence[Subscription],
    ) -> None:
        self.connection = connection
        self.subscriptions = {one.name: one for one in subscriptions}

    def read(self, batch: int) -> SharedPass:
        held = self.hold()
        skipped = [name for name in self.subscriptions if name not in held]
        places = self.without_late(near_the_first(held))
        to_read_alone = [name for name in held if name not in places]
        if not places:
            return SharedPass(to_read_alone=to_read_alone, skipped=skipped)
        goal = next(iter(held.values())).settled
        lowest = min(places.values())
        events = self.read_events(lowest, goal, batch, places)
        is_last = len(events) < batch
        end = max(goal, lowest) if is_last else events[-1].position

        handled = {}
        names, works = [], []
        # What one reader may not open, it does not get from another.
        decoded: dict[bool, DecodedEvents] = {True: {}, False: {}}
        for subscription, own in self.share(events, places):
            if own and subscription.work is None:
                to_read_alone.append(subscription.name)
                continue
            handled[subscription.name] = len(own)
            if own and subscription.work is not None:
                shared = decoded[subscription.masters is not None]
                batch_of_it = Batch(own, shared, held[subscription.name].has_parked)
                names.append(subscription.name)
                works.append(subscription.work(batch_of_it))
        several = take_steps(self.connection, works)
        if several:
            note_position(end).send(self.connection)
        for name, writes in zip(names, several, strict=True):
            if writes is None:
                del handled[name]
                to_read_alone.append(name)
            else:
                send_all(self.connection, writes)
        moved = [
            name
            for name in handled
            if places[name] < end or (held[name].has_stopped and places[name] == end)
        ]
        if moved:
            move_together(moved, end).send(self.connection)
        return SharedPass(end, handled, to_read_alone, skipped, is_last)

    def without_late(self, places: Mapping[str, int]) -> Mapping[str, int]:
        """Leave out those that work in no steps and are behind all that do."""
        in_steps = [
            place for name, place in places.items() if self.subscriptions[name].work
        ]
        first = min(in_steps, default=0)
        return {name: place for name, place in places.items() if place >= first}

    def hold(self) -> dict[str, HeldCheckpoint]:
        """Lock the checkpoints that are free; one round trip."""
        rows = self.connection.execute(
            "SELECT name, checkpoint, has_stopped, fault, settled, has_parked"
            " FROM public.hold_checkpoints(%s)",
            (list(self.subscriptions),),
        )
        return {row[0]: HeldCheckpoint(*row) for row in rows}

    def read_events(
        self, lowest: int, goal: int, batch: int, places: Mapping[str, int]
    ) -> Sequence[RecordedEvent]:
        """Return the next events that anybody here reads; one round trip, and keys."""
        if goal <= lowest:
            return []
        types: set[str] | None = set()
        for name in places:
            wanted = self.subscriptions[name].types
            types = None if types is None or wanted is None else types.union(wanted)
        # A statement of its own: a snapshot that is newer than what settled told.
        return read_all(
            self.connection,
            after=lowest,
            up_to=goal,
            limit=batch,
            types=None if types is None else sorted(types),
        )

    def share(
        self, events: Sequence[RecordedEvent], places: Mapping[str, int]
    ) -> list[tuple[Subscription, Sequence[RecordedEvent]]]:
        """Return each subscription with the events that it has to read."""
        shared = [
            (reader, events_of(reader, events, places[name]))
            for name, reader in self.subscriptions.items()
            if name in places
        ]
        # Each is decrypted once, for all that read something personal of it.
        personal = {event.position for event in events if PERSONAL in event.data}
        wanted = {
            event.position
            for reader, own in shared
            if reader.masters is not None
            for event in own
            if event.position in personal and reader.opens(event)
        }
        if not wanted:
            return shared
        masters = next(r.masters for r, _ in shared if r.masters is not None)
        opened = {
            event.position: event
            for event in Keyring(self.connection, masters).decrypt_readable(
                [event for event in events if event.position in wanted]
            )
        }
        return [
            (reader, own)
            if reader.masters is None
            else (reader, [opened.get(event.position, event) for event in own])
            for reader, own in shared
        ]


def events_of(
    reader: Subscription, events: Sequence[RecordedEvent], place: int
) -> Sequence[RecordedEvent]:
    """Return those of *events* that *reader* reads, behind its checkpoint *place*."""
    types = None if reader.types is None else frozenset(reader.types)
    return [
        event
        for event in events
        if event.position > place and (types is None or event.type in types)
    ]


def near_the_first(held: Mapping[str, HeldCheckpoint]) -> dict[str, int]:
    """Return the checkpoints of those that are read together, by name."""
    sound = {n: h.checkpoint for n, h in held.items() if h.fault is None}
    first = max(sound.values(), default=0)
    return {name: place for name, place in sound.items() if place >= first - FAR}


def move_together(names: Sequence[str], checkpoint: int) -> Statement:
    """
    Return the statement that moves the checkpoints of *names*, all to one place.

    With the event there, which the trigger would look up once for each.
    """
    return Statement(
        b"""
        UPDATE public.subscriptions
        SET checkpoint = %s, moved_at = clock_timestamp(),
            event_id = (SELECT public.event_id_at(%s)),
            stopped_at_position = NULL, error = NULL, stopped_since = NULL,
            tries = 0, next_try_at = NULL
        WHERE name = ANY (%s)
        """,
        (checkpoint, checkpoint, list(names)),
    )
