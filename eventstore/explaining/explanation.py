"""The answer to why a value is so: the changes that made it, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from eventstore.projections.parked_streams import ParkedStream
from eventstore.projections.projection import Key, Row


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnChange:
    """
    An event that gave a value to a column of a row, and the value before and after it.

    *position*, *stream_id*, *version*, *type* and *occurred_at* are the event's, *type*
    as it was appended. *actor* has sent the command *command_id*, of the type
    *command_type*: None where the journal has it no more. *causation_id* is the id of
    the command or the event that caused it; *source* names the history that it was
    imported from.

    *makes_row* and *removes_row* say whether the row came or went with it: *before* or
    *after* is None then. An event that *forgets* a person is there even if both are
    equal, since what was before can no longer be read.
    """

    position: int
    stream_id: str
    version: int
    type: str
    occurred_at: datetime
    actor: str | None
    command_id: UUID | None
    command_type: str | None = None
    causation_id: UUID
    source: str | None
    before: Any
    after: Any
    makes_row: bool = False
    removes_row: bool = False
    forgets: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """
    Why the column *column* of the row *key* has the value *value*.

    *read_model* is its name. *row* is the whole row as its events make it, None where
    it is not there. *changes* are the newest ones, the newest first; *earlier* is the
    number of further ones that were left out. It is as of *position*, or of the time
    *at*, where one was asked for.

    *events* is the number of events that were folded for it. Where *is_whole* is False,
    only so many events of the log's beginning were, and later ones may have changed the
    value. *parked* are streams of the row whose events are passed over, *failed* the
    ids of those that cannot be folded to the end. *shown* is what the read model
    shows where that is something else: its row is wrong. One that *is_damaged* cannot
    be read.

    Of a column that *is_personal*, what was before the person was forgotten can no
    longer be read.
    """

    read_model: str
    key: Key
    column: str
    value: Any
    row: Row | None
    changes: Sequence[ColumnChange]
    earlier: int
    position: int
    at: datetime | None
    events: int
    is_whole: bool
    parked: Sequence[ParkedStream]
    failed: Sequence[str] = ()
    is_wrong: bool = False
    shown: Any = None
    is_damaged: bool = False
    is_personal: bool = False

    @property
    def is_there(self) -> bool | None:
        """Whether there is such a row; None if too few events were folded to know."""
        if self.row is None and not self.is_whole:
            return None
        return self.row is not None

    def is_before_forgetting(self, change: ColumnChange) -> bool:
        """Return whether what *change* gave was forgotten later, with the person."""
        return self.is_personal and any(
            one.forgets and one.position > change.position for one in self.changes
        )
