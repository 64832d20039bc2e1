"""Errors of stored data that this code, or the given keys, cannot read."""

from collections.abc import Sequence
from uuid import UUID

from eventstore.errors import EventStoreError
from eventstore.errors.text import error_text


class UnknownEventType(EventStoreError):
    """The log has an event that this code has no class for."""

    def __init__(self, event_type: str) -> None:
        super().__init__(
            f"No class for events of type {event_type}: upgrade, or add an upcaster."
        )


class UnknownCommandType(EventStoreError):
    """The journal has a command that this code has no class for."""

    def __init__(self, command_type: str) -> None:
        super().__init__(f"No class for commands of type {command_type}: upgrade.")


class UnreadableEvent(EventStoreError):
    """The data of an event do not fit its class."""

    def __init__(self, event_type: str, reason: str) -> None:
        super().__init__(f"An event of type {event_type} does not fit: {reason}.")


class NewerSchema(EventStoreError):
    """An event was written by newer code, in a major version unknown to this one."""

    def __init__(self, event_type: str, major: int, known: int) -> None:
        super().__init__(
            f"An event of type {event_type} has version {major} of its shape, and this"
            f" code knows {known}: upgrade it."
        )


class UpcasterFailed(EventStoreError):
    """An upcaster failed on the data of an event."""

    def __init__(self, event_type: str, major: int, reason: Exception) -> None:
        super().__init__(
            f"The upcaster of {event_type} {major} failed:"
            f" {type(reason).__name__}: {error_text(reason)}"
        )


class BadUpcasters(EventStoreError):
    """A version of an event has no upcaster, or one too many."""

    def __init__(self, missing: Sequence[str], useless: Sequence[str]) -> None:
        parts = [
            f"no upcaster lifts {', '.join(missing)}" if missing else "",
            f"nothing needs the upcaster of {', '.join(useless)}" if useless else "",
        ]
        super().__init__("; ".join(filter(None, parts)) + ".")


class UnkeepableState(EventStoreError):
    """A state cannot be stored as a snapshot."""

    def __init__(self, stream_id: str, reason: str) -> None:
        super().__init__(f"The state of {stream_id} cannot be kept: {reason}.")


class CorruptSnapshot(EventStoreError):
    """A snapshot is not what was written; its stream is read from its events."""

    def __init__(self, stream_id: str) -> None:
        super().__init__(f"The snapshot of {stream_id} is not what was written.")


class TamperedEnvelope(EventStoreError):
    """Encrypted personal fields were changed, or moved from another message."""


class KeyLost(EventStoreError):
    """Personal fields need a key that the vault never had, or lost."""

    def __init__(self, key_id: UUID) -> None:
        super().__init__(
            f"The vault has no key {key_id}, and it was not destroyed: restore the"
            " schema vault from its own backup."
        )


class MasterKeyMissing(EventStoreError):
    """There are personal fields, and no master key was given."""


class WrongMasterKey(EventStoreError):
    """A subject's key was wrapped with a master key that was not given."""

    def __init__(self, master: str) -> None:
        super().__init__(
            f"A subject's key needs the master key {master}: give it in MASTER_KEY,"
            " where former ones may stand behind the one in force."
        )
