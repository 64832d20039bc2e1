"""Process managers: subscriptions that turn events into the next commands."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from eventstore.aggregates.decider import Deciders
from eventstore.journal.internal_commands import InternalRequest, send_in_steps
from eventstore.log.codec import DecodedEvents, EventCodec
from eventstore.log.events import Metadata, RecordedEvent
from eventstore.log.upcasting import NO_UPCASTERS, Upcasters
from eventstore.steps import Statement, take_steps
from eventstore.subscriptions.subscription import Batch, Subscription, Work

_metadata = msgspec.json.Decoder(Metadata)

DueAt = Callable[[Any, datetime], datetime]
"""From an event and when it occurred to when its commands become due."""

PROGRESS = b"SELECT public.record_progress(%s, %s)"


def due_after(delay: timedelta) -> DueAt:
    """Return a `due_at`: *delay* after each event."""
    return lambda event, occurred_at: occurred_at + delay


# Compared by identity, as projections are.
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ProcessManager:
    """
    What follows events: *react* takes a stream id and an event and returns commands.

    *name* is the name of its subscription: a small letter, then small letters, digits
    and _, at most 50 characters. *due_at* takes an event and the time when it
    occurred, and returns when the commands that follow it become due; without it, at
    once. Events of other classes than *events* are passed over, and so are imported
    ones: what followed them has followed elsewhere. *upcasters* lift old events. One
    that *acts_for_sender* names the actor of the event as the actor of its commands,
    with the rights of a process.

    Each event is acted on once, whatever happens to this code or to the checkpoint.

    Raises ValueError for another name, and BadUpcasters as `EventCodec` does.
    """

    name: str
    events: Sequence[type]
    react: Callable[[str, Any], Iterable[Any]]
    due_at: DueAt | None = None
    acts_for_sender: bool = False
    upcasters: Upcasters = field(default_factory=lambda: NO_UPCASTERS)
    codec: EventCodec = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z][a-z0-9_]{0,49}", self.name):
            raise ValueError(f"{self.name} cannot be the name of a process manager")
        codec = EventCodec(self.events, self.upcasters, is_part=True)
        object.__setattr__(self, "codec", codec)

    @property
    def principal(self) -> str:
        """Whose commands they are: a principal that no client can be."""
        return f"process:{self.name}"


def begin_acting(connection: psycopg.Connection[Any], process: ProcessManager) -> None:
    """
    Deploy a process manager: from now on it hears of what happens, not from before.

    Do it before the first event that it must hear of can be accepted; doing it again
    changes nothing.
    """
    connection.execute("SELECT public.begin_acting(%s)", (process.principal,))


def never_deployed(
    connection: psycopg.Connection[Any], processes: Iterable[ProcessManager]
) -> list[str]:
    """
    Return the names of the process managers that would hear of nothing.

    They were not deployed, or their checkpoint was deleted: without one a reader passes
    by, as if another held it.
    """
    rows = connection.execute(
        """
        SELECT name
        FROM public.process_managers
        JOIN public.subscriptions USING (name)
        """
    ).fetchall()
    known = {name for (name,) in rows}
    return [process.name for process in processes if process.principal not in known]


@dataclass(frozen=True, slots=True)
class ProcessManagerRun:
    """
    A process manager at work: the handler of its subscription.

    *secret* is the one for `accept`. *sent* are the ids of the commands it has written
    that can be run now; the caller tells the workers when they are committed. An id of
    a transaction that was rolled back belongs to no command.
    """

    process: ProcessManager
    deciders: Deciders
    secret: bytes = field(repr=False)
    sent: list[UUID] = field(default_factory=list)

    @property
    def subscription(self) -> Subscription:
        """The subscription whose handler this is, under the process manager's name."""
        has_personal = bool(self.process.codec.personal_types)
        return Subscription(
            name=self.process.principal,
            types=self.process.codec.types,
            handler=self.act,
            work=self.act_in_steps,
            masters=self.deciders.masters if has_personal else None,
        )

    def act(
        self, connection: psycopg.Connection[Any], events: Sequence[RecordedEvent]
    ) -> None:
        """
        Send what follows *events*, by itself.

        Raises BadStreamId, NotANumber or KeyReused as `act_in_steps` does.
        """
        take_steps(connection, [self.act_in_steps(Batch(events, {}))])

    def act_in_steps(self, batch: Batch) -> Work:
        """
        Send what follows the events; what was acted on before is passed over.

        It writes between its steps, since the journal answers whether a command is the
        one that was sent before.

        Raises BadStreamId, NotANumber or KeyReused where a command cannot be stored.
        """
        [answer] = yield [
            Statement(PROGRESS, (self.process.principal, batch.events[-1].position))
        ]
        row = answer.fetchone()
        assert row is not None
        (before,) = row
        new = (event for event in batch.events if event.position > before)
        outgoing = [sent for event in new for sent in self.follow(event, batch.decoded)]
        ids = yield from send_in_steps(
            outgoing,
            deciders=self.deciders,
            principal=self.process.principal,
            secret=self.secret,
        )
        now = datetime.now(UTC)
        self.sent.extend(
            command_id
            for command_id, sent in zip(ids, outgoing, strict=True)
            # A worker could do nothing with the others yet: the relay runs them then.
            if sent.not_before is None or sent.not_before <= now
        )
        return []

    def follow(
        self, event: RecordedEvent, decoded: DecodedEvents
    ) -> Iterator[InternalRequest]:
        """
        Yield what follows an event, under keys that are made of its id.

        *decoded* has the objects of events by position, as other readers decoded them.
        """
        metadata = _metadata.decode(event.metadata)
        if metadata.source is not None:
            return
        commands = (
            (fact, command)
            for fact in self.process.codec.read(event, decoded)
            for command in self.process.react(event.stream_id, fact)
        )
        for index, (fact, command) in enumerate(commands):
            yield InternalRequest(
                command=command,
                key=f"{metadata.event_id}/{index}",
                correlation_id=metadata.correlation_id,
                causation_id=metadata.event_id,
                actor=metadata.actor if self.process.acts_for_sender else None,
                not_before=self.find_due(fact, event.occurred_at),
            )

    def find_due(self, fact: Any, occurred_at: datetime) -> datetime | None:
        """Return when the commands that follow *fact* become due; None: at once."""
        if self.process.due_at is None:
            return None
        # The same moment is the same content, by whatever clock it was read.
        return self.process.due_at(fact, occurred_at).astimezone(UTC)
