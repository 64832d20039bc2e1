"""
The errors of the engine. All are an EventStoreError, and each says when it is raised.

Here are those of appending, of commands, and of operators' actions. Data refused before
they are sent are in `unstorable.py`, unreadable ones in `unreadable.py`. Errors of the
database are translated in `refusals.py`.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from eventstore.errors.text import error_text, shorten


class EventStoreError(Exception):
    """The root of all errors that the engine raises."""


class WrongExpectedVersion(EventStoreError):
    """
    Another writer was faster: load again, and decide again.

    *expected* is the version that the append was made for, None if unknown. *actual* is
    the version of the stream; a lower bound if the unique constraint detected it.
    """

    def __init__(self, stream_id: str, expected: int | None, actual: int) -> None:
        self.stream_id = stream_id
        self.expected = expected
        self.actual = actual
        super().__init__(
            f"Stream {stream_id}: expected version {expected}, it is at {actual}."
        )


class CommandAlreadyFinished(EventStoreError):
    """
    A command of this append was completed meanwhile.

    *status* is its status, like `succeeded`.
    """

    def __init__(self, command_id: UUID, status: str) -> None:
        self.command_id = command_id
        self.status = status
        super().__init__(f"Command {command_id} is {status} already.")


class Clash(NamedTuple):
    """
    A claim that was refused, and the stream that was to have it.

    *command_id* is that of the command that wanted it, None if there was none.
    """

    scope: str
    keyed_hash: bytes
    stream_id: str
    command_id: UUID | None


class AlreadyClaimed(EventStoreError):
    """
    Another stream already has a value that a stream claims.

    *clashes* has every refused claim of the append, without the other streams.
    """

    def __init__(self, clashes: Sequence[Clash]) -> None:
        self.clashes = tuple(clashes)
        claims = (
            f"{c.scope} of {c.stream_id}"
            + (f" (command {c.command_id})" if c.command_id else "")
            for c in clashes
        )
        super().__init__(f"Claimed by another stream already: {', '.join(claims)}.")


class KeyMadeElsewhere(EventStoreError):
    """Another writer made the subject's key meanwhile: encrypt again with that one."""


class KeyReused(EventStoreError):
    """
    An idempotency key came again with other content.

    *command_id* is that of the command that it was used for first.
    """

    def __init__(self, command_id: UUID) -> None:
        self.command_id = command_id
        super().__init__(f"This key was used for another command, {command_id}.")


class InternalCommand(EventStoreError):
    """A command that only process managers send came from a client."""

    def __init__(self, command_type: str) -> None:
        super().__init__(f"Only process managers send a {command_type}.")


class NoSuchVersion(EventStoreError):
    """
    A stream was asked for as of a version that it does not have.

    *head* is its last version.
    """

    def __init__(self, stream_id: str, version: int, head: int) -> None:
        self.head = head
        super().__init__(f"{stream_id} has no version {version}: it is at {head}.")


class VersionsMissing(EventStoreError):
    """
    A stream has a hole: no command is decided on it.

    *first* and *last* are the missing versions, both included.
    """

    def __init__(self, stream_id: str, first: int, last: int) -> None:
        self.stream_id = stream_id
        self.first = first
        self.last = last
        missing = f"version {first} is" if first == last else f"{first} to {last} are"
        super().__init__(
            f"{stream_id} has a hole: {missing} missing, and nothing is decided on the"
            " rest. Restore the log; recount verify names all that is missing."
        )


class NotSettled(EventStoreError):
    """A position was asked for that is not settled: events may still come before it."""

    def __init__(self, position: int, settled: int) -> None:
        super().__init__(
            f"Position {position} is not settled yet, only {settled} is:"
            " the answer could still change."
        )


class MomentAhead(EventStoreError):
    """A time was asked for that is still to come."""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"{at.isoformat()} is still to come.")


class CopyDropped(EventStoreError):
    """
    A copy of the past was dropped while it was filled, and is to be made again.

    *number* is its number in the registry.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"The copy {number} was dropped while it was filled.")


class NoFoldVersion(EventStoreError):
    """The source of a fold is not what this process runs, so nothing is kept of it."""

    def __init__(self, read_model: str) -> None:
        super().__init__(
            f"The code of {read_model} was changed since this process started, or its"
            " source is missing: restart the program."
        )


class UndeclaredField(EventStoreError):
    """A reader used a personal field of an event that it has not declared to read."""

    def __init__(self) -> None:
        super().__init__(
            "a personal field is read that is not declared: name it in `personal`"
        )


class ReaderStopped(EventStoreError):
    """
    A read model or a process manager stands still, and what was waited for is not done.

    *name* is the name of its subscription.
    """

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        super().__init__(f"{name} stands still: {why}")


class ReaderEnded(EventStoreError):
    """A subscription ended the process that read it, when it was read alone."""

    def __init__(self) -> None:
        super().__init__("reading it ended the process: by its memory or its time")


class LiveRowsBehind(EventStoreError):
    """A read model has not reached the event by which a subject is forgotten."""

    def __init__(self, generation: str) -> None:
        super().__init__(f"{generation} has not come there yet")


class CheckpointNotInLog(EventStoreError):
    """
    A subscription's checkpoint is not in this log.

    The log was restored or lost its end, or the checkpoint was moved by hand; the
    message says what to do. *name* is the subscription's name, *position* that of its
    checkpoint, None if unknown.
    """

    def __init__(
        self, name: str, position: int | None, remedy: str | None = None
    ) -> None:
        self.name = name
        self.position = position
        place = "" if position is None else f" at {position}"
        super().__init__(
            f"{name} has read an event{place} that the log has not: the log was"
            " restored or lost its end, or the checkpoint was moved."
            f" {remedy or remedy_for(name)}."
        )


def remedy_for(subscription: str) -> str:
    """Return the remedy for a checkpoint that is not in the log."""
    read_model = re.fullmatch(r"(.+)_g\d+(_p\d+)?", subscription)
    if read_model is not None:
        return f"Rebuild it: recount rebuild {read_model[1]}"
    if subscription == "seals":
        return "Ask recount verify what was sealed"
    return f"Set it right: recount checkpoints repair {subscription}"


class CannotProject(EventStoreError):
    """
    A projection failed on an event, and stopped before it.

    *position* is that of the event, *reason* the error that its fold raised.
    """

    def __init__(self, position: int, reason: Exception) -> None:
        self.position = position
        self.reason = reason
        super().__init__(
            f"Cannot project the event at {position}:"
            f" {type(reason).__name__}: {error_text(reason)}"
        )


def cause_of(error: Exception) -> Exception:
    """Return what kept an event from being projected; of other errors the error."""
    return error.reason if isinstance(error, CannotProject) else error


class RolesMissing(EventStoreError):
    """
    The connected login may not create the missing roles.

    *statements* are the SQL that an administrator has to run.
    """

    def __init__(self, statements: Sequence[str]) -> None:
        self.statements = tuple(statements)
        super().__init__(
            "The owner of the database may not make roles, or not their members. Have"
            f" an administrator run: {'; '.join(statements)};"
        )


class RewriteRefused(EventStoreError):
    """A rewrite was refused, and the log is unchanged; the message says why."""


class NoSuchKeptLog(EventStoreError):
    """There is no old log with that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No old log called {name} is kept.")


class RebuildFailed(EventStoreError):
    """
    A read model was not rebuilt, and keeps the rows that it has.

    The sentence *reason* says why, without the read model's name.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} was not rebuilt: {reason}")
        self.reason = reason


class TooIntertwined(EventStoreError):
    """
    The rows of some streams need too many others to be made alone.

    *name* is that of the read model, *streams* the number of streams that were read.
    """

    def __init__(self, name: str, streams: int) -> None:
        super().__init__(
            f"{name} needs more than {streams} streams for a row: rebuild it instead."
        )


class RebuildRunning(EventStoreError):
    """A read model is being rebuilt, and cannot be removed now."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is being rebuilt: wait until that has ended.")


class UnknownReadModel(EventStoreError):
    """The database has nothing of a read model with that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no read model {name}.")


class UnknownColumn(EventStoreError):
    """
    The rows of a read model have no such column.

    *columns* are the names of those that they have.
    """

    def __init__(self, name: str, column: str, columns: Sequence[str]) -> None:
        self.columns = columns
        super().__init__(
            f"{name} has no column {shorten(column)}; it has {', '.join(columns)}."
        )


class ReadModelOutdated(EventStoreError):
    """A read model was made from another definition: rebuild it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was made from another definition: rebuild it.")


class ReadModelBehind(EventStoreError):
    """
    A read model has not read all events of the moment that was asked for.

    It was read up to *position*.
    """

    def __init__(self, name: str, position: int) -> None:
        super().__init__(
            f"{name} was read up to position {position} only: try again in a moment."
        )


class InstalledOtherwise(EventStoreError):
    """The existing tables belong to another version of the engine."""

    def __init__(self, table: str, columns: Sequence[str]) -> None:
        super().__init__(
            f"The table {table} is there, and is another version's: it differs in"
            f" {', '.join(columns)}."
        )


class NothingSealed(EventStoreError):
    """The log has no seal yet."""

    def __init__(self) -> None:
        super().__init__("Nothing is sealed yet: beat has it done, by a worker.")


class UnreadableExport(EventStoreError):
    """A file does not have exported seals, or something else as well."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} is no file of exported seals: {reason}.")


class ContradictedExport(EventStoreError):
    """The seals are not those that were exported to this file before."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(
            f"{name} is left as it is, since the seals are not those in it: {reason}."
        )


class BadCursor(EventStoreError):
    """Invalid cursor: it belongs to another list or sort order."""

    def __init__(self) -> None:
        super().__init__("Invalid cursor: it belongs to another list or sort order.")
