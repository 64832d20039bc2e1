"""A subscription: a name, a checkpoint, and what is done with a batch of events."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from eventstore.encryption.keys import MasterKeys
from eventstore.log.codec import DecodedEvents
from eventstore.log.events import RecordedEvent
from eventstore.steps import Work

# Handles a batch in the transaction that moves the checkpoint; it never commits.
Handler = Callable[[psycopg.Connection[Any], Sequence[RecordedEvent]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """
    A reader of the log: a checkpoint called *name*, and what handles events.

    *name* is its name in the table of checkpoints. Only events of *types* are handled,
    or all where it is None; the checkpoint passes over the others. *handler* gets a
    connection and at most *batch* events, in a transaction. Where it raises
    CannotProject, the subscription stops before that event. *work* does the same in
    steps that are taken together with those of others, see `read_together`; without it
    the subscription is always read alone.

    With *masters*, the master keys, it gets events with their personal fields, where
    *opens* returns True for them; without keys these stay encrypted.
    """

    name: str
    types: Sequence[str] | None
    handler: Handler
    work: Callable[[Sequence[RecordedEvent], DecodedEvents], Work] | None = None
    batch: int = 500
    masters: MasterKeys | None = None
    opens: Callable[[RecordedEvent], bool] = lambda _: True
