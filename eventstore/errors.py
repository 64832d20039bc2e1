"""
The errors of the engine, and where the database's refusals become one of them.

All are an EventStoreError, and each class says when it is raised. Those that are an
Unstorable error are raised before anything is sent.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple, NoReturn
from uuid import UUID

import psycopg

from eventstore.session_errors import is_of_the_session


class EventStoreError(Exception):
    """The root of all errors that the engine raises."""


class WrongExpectedVersion(EventStoreError):
    """
    Somebody else was faster: load again, and decide again.

    *expected* is the version that the append was made for, None if unknown. *actual* is
    the version that the stream is at; where the unique constraint saw it, at least: a
    writer past the function `append` may have written more by then.
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
    A value that a stream claims is another stream's.

    *clashes* has every refused claim of the append; it does not tell the other streams.
    """

    def __init__(self, clashes: Sequence[Clash]) -> None:
        self.clashes = tuple(clashes)
        claims = (
            f"{c.scope} of {c.stream_id}"
            + (f" (command {c.command_id})" if c.command_id else "")
            for c in clashes
        )
        super().__init__(f"Claimed by another stream already: {', '.join(claims)}.")


class Unstorable(EventStoreError):
    """The root of what is refused before it is sent; repeating it is no use."""


class BadStreamId(Unstorable):
    """A stream's id is not like `order-10248`, or is too long."""

    def __init__(self, stream_id: str, longest: int) -> None:
        super().__init__(
            f"{shorten(stream_id)} is no stream: expected a category of small"
            " letters, digits and _, a hyphen, and an id without control characters,"
            f" like order-10248, at most {longest} characters."
        )


class BadTypeName(Unstorable):
    """The name of a type is empty, too long, or has control characters."""

    def __init__(self, event_type: str, longest: int) -> None:
        super().__init__(
            f"{shorten(event_type)} is no type of event: expected 1 to {longest}"
            " characters, none of them a control character."
        )


class TooLarge(Unstorable):
    """The data or the metadata of an event have too many bytes."""

    def __init__(self, part: str, event_type: str, size: int, most: int) -> None:
        super().__init__(
            f"The {part} of an event of type {event_type} has {size:,} bytes as JSON,"
            f" at most {most:,} are kept."
        )


class TooManyEvents(Unstorable):
    """One append has more events than it may: split it."""

    def __init__(self, count: int, most: int) -> None:
        super().__init__(
            f"One append has {count:,} events, at most {most:,} may be: split it."
        )


class TooManyStreams(Unstorable):
    """One bulk append names more streams than it may: split it."""

    def __init__(self, count: int, most: int) -> None:
        super().__init__(
            f"One append names {count:,} streams, at most {most:,} may be: split it."
        )


class TooManyBytes(Unstorable):
    """The events of one bulk append are larger than they may be: split it."""

    def __init__(self, size: int, most: int) -> None:
        super().__init__(
            f"The events of one append have {size:,} bytes, at most {most:,} may be:"
            " split it."
        )


class UnstorableText(Unstorable):
    """A text has a NUL or half a surrogate pair, which PostgreSQL does not store."""

    def __init__(self, part: str, event_type: str) -> None:
        super().__init__(
            f"The {part} of an event of type {event_type} has a NUL or half a"
            " character, which PostgreSQL does not store."
        )


class NotANumber(Unstorable):
    """A number is NaN or infinite, which JSON does not have."""

    def __init__(self, place: str, kind: str) -> None:
        super().__init__(f"{place} of {kind} is no number: NaN, or infinite.")


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


class NoSuchVersion(EventStoreError):
    """
    A stream was asked for as of a version that it does not have.

    *head* is the version that it is at.
    """

    def __init__(self, stream_id: str, version: int, head: int) -> None:
        self.head = head
        super().__init__(f"{stream_id} has no version {version}: it is at {head}.")


class VersionsMissing(EventStoreError):
    """
    A stream has a hole: nothing is decided on the rest of it.

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
    """As of a position was asked, where events may still come."""

    def __init__(self, position: int, settled: int) -> None:
        super().__init__(
            f"Position {position} is not settled yet, only {settled} is:"
            " the answer could still change."
        )


class TamperedEnvelope(EventStoreError):
    """Encrypted personal fields were changed, or moved from another message."""


class KeyLost(EventStoreError):
    """Personal fields need a key that the vault never had, or lost."""

    def __init__(self, key_id: UUID) -> None:
        super().__init__(
            f"The vault has no key {key_id}, and it was not destroyed: restore the"
            " schema vault from its own backup."
        )


class KeyMadeElsewhere(EventStoreError):
    """A subject got its key from somebody else meanwhile: encrypt again with that."""


class MasterKeyMissing(EventStoreError):
    """There are personal fields, and no master key was given."""


class WrongMasterKey(EventStoreError):
    """A subject's key was wrapped with a master key that was not given."""

    def __init__(self, master: str) -> None:
        super().__init__(
            f"A subject's key needs the master key {master}: give it in MASTER_KEY,"
            " where former ones may stand behind the one in force."
        )


class LiveRowsBehind(EventStoreError):
    """A read model has not reached the event by which somebody is forgotten."""

    def __init__(self, generation: str) -> None:
        super().__init__(f"{generation} has not come there yet")


class CheckpointNotInLog(EventStoreError):
    """
    What a subscription has read is not in this log.

    The log was restored or lost its end, or somebody moved the checkpoint; the message
    says what to do. *name* is the subscription's name, *position* that of its
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
    """Return what sets a checkpoint right that is not in the log."""
    read_model = re.fullmatch(r"(.+)_g\d+", subscription)
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


class RolesMissing(EventStoreError):
    """
    The connected role may not make the roles that are missing.

    *statements* are the SQL that an administrator has to run.
    """

    def __init__(self, statements: Sequence[str]) -> None:
        self.statements = tuple(statements)
        super().__init__(
            "The owner of the database may not make roles, or not their members. Have"
            f" an administrator run: {'; '.join(statements)};"
        )


class RewriteRefused(EventStoreError):
    """A copy does not take the place of the log; the message says why."""


class NoSuchKeptLog(EventStoreError):
    """There is no old log of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No old log called {name} is kept.")


class RebuildFailed(EventStoreError):
    """A read model was not rebuilt, and keeps the rows that it has."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} was not rebuilt: {reason}")


class RebuildRunning(EventStoreError):
    """A read model is being rebuilt: nobody can take it away now."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is being rebuilt: wait until that has ended.")


class UnknownReadModel(EventStoreError):
    """No read model of that name has left anything in the database."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no read model {name}.")


class ReadModelOutdated(EventStoreError):
    """A read model was made from another definition: rebuild it."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was made from another definition: rebuild it.")


class InstalledOtherwise(EventStoreError):
    """The tables that are there belong to another version of the engine."""

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
    """A page was asked for by something that is not a cursor of this list and order."""

    def __init__(self) -> None:
        super().__init__("The cursor is none of this list in this order.")


def error_text(error: BaseException) -> str:
    """
    Return what *error* says, without the values that a database puts into its words.

    What is kept of an error is kept for long, and seen by many. What cannot be stored
    as JSON is written out.
    """
    if isinstance(error, psycopg.Error) and error.sqlstate:
        place = (error.diag.table_name, error.diag.column_name)
        named = [*filter(None, place), error.diag.constraint_name or ""]
        # In class 22 the very sentence has the value: 'invalid input syntax: "…"'.
        sentence = "" if error.sqlstate[:2] == "22" else error.diag.message_primary
        text = " ".join(filter(None, [error.sqlstate, sentence, *named]))
    else:
        text = str(error)
    return text.encode(errors="backslashreplace").decode().replace("\0", "\\0")


def shorten(text: str) -> str:
    """Return a text that somebody gave, in quotes and fit to be shown."""
    return ascii(text if len(text) <= 60 else f"{text[:57]}...")


def is_of_the_data(error: Exception) -> bool:
    """
    Return whether what was given is refused, and would be so again.

    Classes of SQLSTATE: 22 a value that cannot be, 23 a constraint, 54 too large. All
    others (no right, no such function, no connection) are not the command's fault.
    """
    if isinstance(error, Unstorable):
        return True
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    return state is not None and state[:2] in ("22", "23", "54")


def is_lost_connection(error: Exception) -> bool:
    """
    Return whether *error* tells that the database, or our session, is of no use.

    A session that cannot write any more is as good as none.
    """
    if is_of_the_session(error):
        return True
    return isinstance(
        error, psycopg.OperationalError | psycopg.InterfaceError
    ) and not is_of_the_data(error)


def raise_misplaced(error: Exception, name: str) -> None:
    """Raise CheckpointNotInLog if that is why the database refused a reader."""
    if isinstance(error, psycopg.Error) and error.sqlstate == "ES004":
        raise CheckpointNotInLog(name, None) from error


def raise_refusal(error: psycopg.Error, expected: Mapping[str, int]) -> NoReturn:
    """
    Say in the engine's own words what refused an append; other errors go on.

    *expected* has the versions that the append was made for, by stream.
    """
    match error.sqlstate, error.diag.constraint_name:
        case "ES001", _:
            detail = json.loads(error.diag.message_detail or "{}")
            raise WrongExpectedVersion(
                detail["stream_id"], detail["expected"], detail["actual"]
            ) from error
        case "ES002", _:
            detail = json.loads(error.diag.message_detail or "{}")
            raise CommandAlreadyFinished(
                UUID(detail["command_id"]), detail["status"]
            ) from error
        case _, "keys_subject_key":
            raise KeyMadeElsewhere from error
        case "ES003", _:
            raise AlreadyClaimed(
                [
                    Clash(
                        scope=clash["scope"],
                        keyed_hash=bytes.fromhex(clash["hash"]),
                        stream_id=clash["stream_id"],
                        command_id=clash["command_id"] and UUID(clash["command_id"]),
                    )
                    for clash in json.loads(error.diag.message_detail or "[]")
                ]
            ) from error
        case _, "events_stream_id_version_key":
            # "Key (stream_id, version)=(order-7, 3) already exists.", in any language.
            detail = error.diag.message_detail or ""
            key = re.search(
                r"\(stream_id, version\)=\((.*), (\d+)\)", detail, re.DOTALL
            )
            if key is None:
                raise error
            stream_id, version = key.groups()
            raise WrongExpectedVersion(
                stream_id, expected.get(stream_id), int(version)
            ) from error
        case _:
            raise error
