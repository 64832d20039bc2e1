"""The plan: every event of an import, in its order, before any of them is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from eventstore.log.events import Metadata, NewEvent

IMPORTS = UUID("0b6c1b3e-52a5-5d0c-9a5e-3f8a4e6b7c21")


class Planned(NamedTuple):
    """An event with its place in its stream; small, since there may be a million."""

    stream_id: str
    version: int
    type: str
    schema: str
    data: str
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The events of a history in the order in which they are appended."""

    source: str
    events: Sequence[Planned]
    highest_order: int
    highest_customer: int

    @property
    def import_id(self) -> UUID:
        """What caused all of these events, and the conversation that they are."""
        return uuid5(IMPORTS, self.source)

    def new_events(self, some: Sequence[Planned]) -> list[tuple[str, NewEvent]]:
        """
        Return *some* events as they are appended: the same whenever it is done.

        They have no actor: who did it in the old shop, the files do not tell.
        """
        import_id = self.import_id
        return [
            (
                planned.stream_id,
                NewEvent(
                    type=planned.type,
                    data=planned.data,
                    metadata=Metadata(
                        event_id=event_id(import_id, planned),
                        correlation_id=import_id,
                        causation_id=import_id,
                        schema=planned.schema,
                        source=self.source,
                    ),
                    occurred_at=planned.occurred_at,
                ),
            )
            for planned in some
        ]


def event_id(import_id: UUID, planned: Planned) -> UUID:
    """Return the id of an event by source, stream and version."""
    return uuid5(import_id, f"{planned.stream_id}\n{planned.version}")
