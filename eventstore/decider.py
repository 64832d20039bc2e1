"""
What the engine must know of one kind of aggregate: how it decides and how it evolves.

The idea and the words are from Jérémie Chassaing's "functional event sourcing decider".
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from eventstore.log.codec import EventCodec
from eventstore.log.events import RecordedEvent


def no_other_streams(command: Any) -> Mapping[str, str]:
    """Most commands are decided on their own stream alone."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """
    A category of streams and its rules.

    *decide* takes the state, the command, and by keyword the states of the streams that
    *reads* names; it returns events or raises *rejection*. *read_command* makes a
    command of its class and plain data, and raises *invalid* if it is none. *identity*
    is the field of a command that tells its stream; where there is none, the stream
    gets the next number of the sequence *numbers*.
    """

    category: str
    initial: Any
    decide: Callable[..., Sequence[Any]]
    evolve: Callable[[Any, Any], Any]
    events: EventCodec
    commands: Sequence[type]
    rejection: type[Exception]
    invalid: type[Exception]
    read_command: Callable[[type, Any], Any]
    identity: str
    numbers: str | None = None
    reads: Callable[[Any], Mapping[str, str]] = no_other_streams

    def stream_of(self, command: Any) -> str | None:
        """Return the stream *command* is addressed to; None: it gets a number."""
        identity = getattr(command, self.identity, None)
        return None if identity is None else f"{self.category}-{identity}"

    def state_after(self, events: Iterable[RecordedEvent]) -> Any:
        """Return the state that *events*, a whole stream in order, lead to."""
        state = self.initial
        for event in events:
            state = self.evolve(state, self.events.decode(event.type, event.data))
        return state


@dataclass(frozen=True, slots=True)
class Deciders:
    """All deciders of an application, found by category and by command."""

    all: Sequence[Decider]
    by_category: Mapping[str, Decider] = field(init=False)
    commands: Mapping[str, type] = field(init=False)

    def __post_init__(self) -> None:
        by_category = {decider.category: decider for decider in self.all}
        commands = {c.__name__: c for decider in self.all for c in decider.commands}
        object.__setattr__(self, "by_category", by_category)
        object.__setattr__(self, "commands", commands)

    def of_stream(self, stream_id: str) -> Decider:
        """Return the decider of a stream's category."""
        return self.by_category[stream_id.partition("-")[0]]

    def of_command(self, command: type) -> Decider:
        """Return the decider that takes commands of this class."""
        return next(d for d in self.all if command in d.commands)
