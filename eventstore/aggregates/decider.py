"""
The decider: the rules of one category of streams, how it decides and evolves.

The idea and the words are from Jérémie Chassaing's "functional event sourcing decider".
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from eventstore.aggregates.snapshots import SnapshotCodec
from eventstore.claims import (
    Change,
    Claim,
    ClaimChange,
    ClaimKey,
    changes_between,
    no_claims,
)
from eventstore.encryption.keys import MasterKeys
from eventstore.encryption.personal_fields import personal_fields
from eventstore.log.codec import EventCodec
from eventstore.log.events import RecordedEvent


def no_other_streams(command: Any) -> Mapping[str, str]:
    """The default of `reads`: no other stream."""
    return {}


def the_stream(stream_id: str, message: Any) -> str:
    """The default of `subject`: the stream itself."""
    return stream_id


def nobody_need_hear(command: Any) -> Any | None:
    """The default of `abandoned`: no command follows."""
    return None


def no_time(state: Any, fact: Any, occurred_at: datetime) -> Any:
    """The default of `note_time`: the time is not kept."""
    return state


def convert(kind: type, data: Any) -> Any:
    """Return plain data as a command of a class, by the types of its fields."""
    return msgspec.convert(data, kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """
    A category of streams and its rules.

    *decide* takes the state, the command, and by keyword the states of the streams that
    *reads* names; it returns events or raises *rejection*. *read_command* makes a
    command of its class and plain data, and raises *invalid* if it is none. *identity*
    is the field of a command with its stream's id; without one, the stream gets the
    next number of the sequence *numbers*. *claims* returns the claims of a state, which
    no other stream may have, *former_claims* those of an earlier version of *claims*:
    they are released by filling, or with the claim itself. A change of *evolve*, an
    upcaster or the class of the state is detected, and no older snapshot is used; raise
    the number *snapshot_version* by hand if something else that snapshots depend on has
    changed.

    *note_time* takes the state after an event of the log, the event, and its time of
    occurrence, and returns the state with the time. Decided events that are not
    appended yet have no time.

    *subject* returns the stream id of the person whom the personal fields of a message
    (a command or an event in a stream) are about: they are encrypted with that person's
    key. An event of the classes *forgets* destroys it.

    Of *commands*, those that are *internal* are sent only by process managers. Others
    may wait for such a step: when an operator abandons it, *abandoned* returns the
    command that informs them, or raises *rejection* if it must not be abandoned.
    """

    category: str
    initial: Any
    decide: Callable[..., Sequence[Any]]
    evolve: Callable[[Any, Any], Any]
    note_time: Callable[[Any, Any, datetime], Any] = no_time
    events: EventCodec
    commands: Sequence[type]
    rejection: type[Exception]
    identity: str
    read_command: Callable[[type, Any], Any] = convert
    invalid: type[Exception] = msgspec.ValidationError
    numbers: str | None = None
    reads: Callable[[Any], Mapping[str, str]] = no_other_streams
    claims: Callable[[Any], Iterable[Claim]] = no_claims
    former_claims: Callable[[Any], Iterable[Claim]] = no_claims
    snapshot_version: int = 1
    subject: Callable[[str, Any], str] = the_stream
    forgets: Sequence[type] = ()
    internal: Sequence[type] = ()
    abandoned: Callable[[Any], Any | None] = nobody_need_hear
    snapshots: SnapshotCodec = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        folds = [self.evolve, *self.events.classes, *self.events.lifting]
        codec = SnapshotCodec(self.category, self.initial, self.snapshot_version, folds)
        object.__setattr__(self, "snapshots", codec)

    @property
    def claims_something(self) -> bool:
        """True if its streams can claim values."""
        return self.claims is not no_claims

    def changes_of_claims(self, before: Any, after: Any) -> list[Change]:
        """Return the claims that a change of state makes and releases."""
        changes = changes_between(self.claims(before), self.claims(after))
        if not any(change.is_released for change in changes):
            return changes
        # Claimed by an earlier version and not filled since: it is released as well.
        had = [*self.former_claims(before), *self.claims(before)]
        return changes_between(had, self.claims(after))

    def missing_claims(self, state: Any) -> list[Change]:
        """Return the claims to make and release for a state that may lack claims."""
        claims = list(self.claims(state))
        former = changes_between(self.former_claims(state), claims)
        released = [change for change in former if change.is_released]
        return [*released, *changes_between((), claims)]

    def stream_of(self, command: Any) -> str | None:
        """Return the stream *command* is addressed to; None: it gets a number."""
        identity = getattr(command, self.identity, None)
        return None if identity is None else f"{self.category}-{identity}"

    def subject_of(self, stream_id: str, facts: Iterable[Any]) -> str:
        """
        Return the stream id of the person whose key an event with *facts* needs.

        It is *stream_id* itself where no fact has personal fields.
        """
        for fact in facts:
            kind: type = type(fact)
            if personal_fields(kind):
                return self.subject(stream_id, fact)
        return stream_id

    def state_after(self, state: Any, events: Iterable[RecordedEvent]) -> Any:
        """Return the state that *events*, in order, make of *state*."""
        for event in events:
            for fact in self.events.read(event):
                state = self.evolve_at(state, fact, event.occurred_at)
        return state

    def evolve_at(self, state: Any, fact: Any, occurred_at: datetime) -> Any:
        """Return the state after an event of the log, with its time if that counts."""
        return self.note_time(self.evolve(state, fact), fact, occurred_at)


def category_of(stream_id: str) -> str:
    """Return the category of a stream: the text before the first hyphen."""
    return stream_id.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Deciders:
    """
    All deciders of an application, found by category and by command.

    With *masters*, the master keys, personal fields are encrypted; without, nothing is.
    Where one of them claims something, they need a *claim_key*.
    """

    all: Sequence[Decider]
    masters: MasterKeys | None = None
    claim_key: ClaimKey | None = field(default=None, repr=False, compare=False)
    by_category: Mapping[str, Decider] = field(init=False)
    commands: Mapping[str, type] = field(init=False)
    # Those that are not internal.
    offered: Mapping[str, type] = field(init=False)
    # Computed at first use, since it reads the code.
    known_fingerprints: list[str] = field(
        init=False, default_factory=list, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        by_category = {decider.category: decider for decider in self.all}
        commands = {c.__name__: c for decider in self.all for c in decider.commands}
        object.__setattr__(self, "by_category", by_category)
        object.__setattr__(self, "commands", commands)
        own = {c for decider in self.all for c in decider.internal}
        offered = {name: c for name, c in commands.items() if c not in own}
        object.__setattr__(self, "offered", offered)

    @property
    def fingerprints(self) -> str:
        """
        The fingerprints of the snapshots they can read, as text of a PostgreSQL array.

        Making it from a list at each take would cost more than looking up a snapshot.
        """
        self.compute_fingerprints()
        return self.known_fingerprints[0]

    def compute_fingerprints(self) -> None:
        """
        Compute the fingerprints once, now, from the code that is loaded.

        A process that forks calls it before, so that its children need not.
        """
        if not self.known_fingerprints:
            found = ",".join(d.snapshots.fingerprint for d in self.all)
            self.known_fingerprints.append(f"{{{found}}}")

    @property
    def forgets(self) -> list[type]:
        """The classes of the events that forget a subject."""
        return [kind for decider in self.all for kind in decider.forgets]

    def keyed(self, secret: bytes) -> "Deciders":
        """Return these deciders with a key for claims, made of *secret*."""
        return replace(self, claim_key=ClaimKey(secret))

    def hashed(
        self, changes: Sequence[Change], stream_id: str, command_id: UUID | None = None
    ) -> list[ClaimChange]:
        """
        Return *changes* of a stream's claims as `append` takes them.

        Raises ValueError if there are some and no claim key.
        """
        if not changes:
            return []
        if self.claim_key is None:
            raise ValueError("these deciders claim something: give them a secret")
        return self.claim_key.hashed(changes, stream_id, command_id)

    def of_stream(self, stream_id: str) -> Decider:
        """
        Return the decider of a stream's category. Raises KeyError if there is none.
        """
        return self.by_category[category_of(stream_id)]

    def of_command(self, command: type) -> Decider:
        """Return the decider that takes commands of this class."""
        return next(d for d in self.all if command in d.commands)
