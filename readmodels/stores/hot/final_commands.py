"""
What became of a command, kept aside for those who ask again: only if that is final.

`succeeded` and `rejected` are final. A failed or an abandoned command may be run again
by an operator, and one that waits will change. What was sent with the command is not
kept. The words of a rejection may name a person: they are gone after `SECONDS_KEPT`,
and so is a status that a restored journal does not have any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from eventstore.journal.entries import CausedEvent, Entry
from readmodels.stores.hot.store import HotStore

FINAL = ("succeeded", "rejected")
SECONDS_KEPT = 60
MAX_BYTES = 65_536
SHOWN = ("rule", "message", "figures")
"""The fields of a rejection that are shown to its sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalCommand:
    """
    A command that nothing will change any more: fields as those of `Entry`.

    *error* has only the fields `SHOWN`; *events* are those that it has caused.
    """

    id: UUID
    type: str
    stream_id: str
    principal: str
    status: str
    error: Mapping[str, Any] | None
    position: int | None
    accepted_at: datetime
    not_before: datetime | None
    finished_at: datetime | None
    events: tuple[CausedEvent, ...]

    @property
    def is_scheduled(self) -> bool:
        return False

    @property
    def display_status(self) -> str:
        return self.status


_to_json = msgspec.json.Encoder().encode
_command = msgspec.json.Decoder(FinalCommand)


def find_command(store: HotStore, command_id: UUID) -> FinalCommand | None:
    """Return a command that was kept lately. Raises StoreAway."""
    with store.connection.answering() as client:
        found = client.get(store.names.command(command_id))
    try:
        return None if found is None else _command.decode(found)
    except msgspec.MsgspecError:
        # Other code has written it.
        return None


def keep_command(store: HotStore, entry: Entry, events: Sequence[CausedEvent]) -> bool:
    """
    Keep what became of *entry*, with its *events*, for a minute; return whether it is.

    Only if that is final, and not longer than `MAX_BYTES`. Raises StoreAway.
    """
    if entry.status not in FINAL:
        return False
    error = entry.error
    text = _to_json(
        FinalCommand(
            id=entry.id,
            type=entry.type,
            stream_id=entry.stream_id,
            principal=entry.principal,
            status=entry.status,
            error=None if error is None else {name: error.get(name) for name in SHOWN},
            position=entry.position,
            accepted_at=entry.accepted_at,
            not_before=entry.not_before,
            finished_at=entry.finished_at,
            events=tuple(events),
        )
    )
    if len(text) > MAX_BYTES:
        return False
    with store.connection.answering() as client:
        client.set(store.names.command(entry.id), text, ex=SECONDS_KEPT)
    return True
