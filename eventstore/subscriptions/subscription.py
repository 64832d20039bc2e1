"""A subscription: a name, a checkpoint, and what is done with a batch of events."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import psycopg

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import CannotProject
from eventstore.log.codec import DecodedEvents
from eventstore.log.events import RecordedEvent
from eventstore.steps import Statement, Steps

# Handles a batch in the transaction that moves the checkpoint; it never commits.
Handler = Callable[[psycopg.Connection[Any], Sequence[RecordedEvent]], None]


class Batch(NamedTuple):
    """
    Events that a subscription gets in a shared pass.

    *decoded* is a cache of their objects, shared by all subscriptions of the pass.
    *has_parked* says whether there are streams that are parked for this one.
    """

    events: Sequence[RecordedEvent]
    decoded: DecodedEvents
    has_parked: bool = False


Work = Steps[Sequence[Statement] | None]
"""
Steps that return the statements that write; nothing is written before the end.

None: the batch has to be read alone, and nothing of it was done.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """
    A reader of the log: a checkpoint called *name*, and what handles events.

    *name* is its name in the table of checkpoints. Only events of *types* are handled,
    or all where it is None, and of them those for which the text *only* holds, a
    condition in SQL; the checkpoint passes over the others. *handler* gets a
    connection and at most *batch* events, in a transaction. Where it raises
    CannotProject, the subscription stops before that event. *work* does the same in
    steps that are taken together with those of others, see `read_together`; without it
    the subscription is always read alone. *park* is called where the database has
    refused what one event brings: it returns True if that event's stream was parked,
    and the rest can be read.

    With *masters*, the master keys, it gets events with their personal fields, where
    *opens* returns True for them; without keys these stay encrypted.
    """

    name: str
    types: Sequence[str] | None
    handler: Handler
    only: str = "true"
    work: Callable[[Batch], Work] | None = None
    park: Callable[[psycopg.Connection[Any], CannotProject], bool] | None = None
    batch: int = 500
    masters: MasterKeys | None = None
    opens: Callable[[RecordedEvent], bool] = lambda _: True
