"""Given events, then rows: a read model by its real fold, without a database."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from eventstore.ids import event_id_for
from eventstore.log.codec import schema_of
from eventstore.log.events import Metadata, RecordedEvent
from eventstore.projections.project import project_in_steps
from eventstore.projections.projection import Projection, Update
from eventstore.projections.table import Table
from eventstore.projections.tables import Tables
from eventstore.steps import Statement
from eventstore.subscriptions.subscription import Batch

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)
"""When an event happens of which a test does not say it."""
_NOBODY = UUID(int=0)


class MemoryTable(Table):
    """A table that keeps its rows in a dictionary; its statements are its methods."""

    def __init__(self, table: Table) -> None:
        super().__init__(table.name, table.row, table.key)
        self.rows: dict[Any, Any] = {}

    def load(self, keys: Collection[Any]) -> Statement:
        return Statement(b"load", [self.rows[key] for key in keys if key in self.rows])

    def loaded(self, cursor: Any) -> dict[Any, Any]:
        return {getattr(row, self.key): row for row in cursor}

    def store(self, rows: Mapping[Any, Any | None]) -> list[Statement]:
        return [Statement(b"store", (self, rows))]

    def update(self, update: Update) -> Statement:
        return Statement(b"update", (self, update))

    def apply(self, change: Mapping[Any, Any | None] | Update) -> None:
        """Do what a statement of `store` or `update` does."""
        if isinstance(change, Update):
            where = change.where.items()
            for key, row in self.rows.items():
                if all(getattr(row, name) == value for name, value in where):
                    self.rows[key] = replace(row, **change.to)
            return
        self.rows.update(change)
        for key in [key for key, row in change.items() if row is None]:
            del self.rows[key]


class MemoryTables(Tables):
    """The tables of a read model, in memory."""

    def __init__(self, projection: Projection) -> None:
        super().__init__(projection, projection.name)
        self.rows: MemoryTable = MemoryTable(self.rows)
        self.lookups = {
            name: MemoryTable(table) for name, table in self.lookups.items()
        }


@dataclass(frozen=True, slots=True)
class ProjectionSpecification:
    """A read model, and the events that a test has told so far, in their order."""

    projection: Projection
    events: Sequence[RecordedEvent] = ()

    def given(
        self, stream_id: str, *events: Any, at: datetime = NOON
    ) -> "ProjectionSpecification":
        """Tell what has happened in a stream, after what was told before, and when."""
        recorded = list(self.events)
        for event in events:
            version = 1 + sum(one.stream_id == stream_id for one in recorded)
            recorded.append(record(event, stream_id, version, len(recorded) + 1, at))
        return replace(self, events=recorded)

    def then(self, *rows: Any) -> None:
        """
        Check that these rows are there, in any order, and no others.

        Both where each event is folded by itself and where all are folded together.
        """
        key = self.projection.key
        expected = {getattr(row, key): row for row in rows}
        for batch in (1, max(len(self.events), 1)):
            there = self.rows(batch=batch)
            if there != expected:
                raise AssertionError(
                    f"the rows are {list(there.values())}, expected {list(rows)}"
                )

    def then_nothing(self) -> None:
        """Check that there is no row."""
        self.then()

    def rows(self, *, batch: int = 1) -> dict[Any, Any]:
        """
        Return the rows by key, folded *batch* events at a time.

        Raises CannotProject at the event that the fold refuses.
        """
        tables = MemoryTables(self.projection)
        wanted = [one for one in self.events if one.type in self.projection.types]
        for start in range(0, len(wanted), batch):
            events = Batch(wanted[start : start + batch], {})
            steps = project_in_steps(self.projection, tables, events)
            try:
                asked = next(steps)
                while True:
                    # What a table has loaded is its own answer.
                    asked = steps.send([one.values for one in asked])  # type: ignore[misc]
            except StopIteration as end:
                for statement in end.value or ():
                    table, change = statement.values
                    table.apply(change)
        return dict(tables.rows.rows)


def record(
    event: Any, stream_id: str, version: int, position: int, at: datetime
) -> RecordedEvent:
    """Return an event as the log has it."""
    metadata = Metadata(
        event_id=event_id_for(_NOBODY, position),
        correlation_id=_NOBODY,
        causation_id=_NOBODY,
        schema=schema_of(event),
        actor="test",
        recorded_at=at,
    )
    return RecordedEvent(
        position=position,
        stream_id=stream_id,
        type=type(event).__name__,
        version=version,
        data=msgspec.json.encode(event).decode(),
        metadata=msgspec.json.encode(metadata).decode(),
        occurred_at=at,
    )
