"""Accept commands: write them to the journal, which promises them."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from eventstore.aggregates.decider import Decider
from eventstore.encryption.envelope import encrypt_fields
from eventstore.encryption.keys import MasterKeys, new_key
from eventstore.encryption.personal_fields import personal_fields
from eventstore.errors import InternalCommand, KeyReused
from eventstore.errors.refusals import is_of_the_data
from eventstore.ids import command_id_for, fingerprint_of
from eventstore.log.limits import check_numbers, check_stream_id
from eventstore.personal.keyring import new_key_row


class AcceptedCommand(NamedTuple):
    """The command's id; *is_new* is False if the same was accepted before."""

    command_id: UUID
    is_new: bool


def explicit_fields(value: Any) -> Any:
    """
    Return the fields of a command, without those that have their default.

    A field that a later version adds must not change the content of the same request.
    So a released default must never change.
    """
    if is_dataclass(value):
        found = {field.name: getattr(value, field.name) for field in fields(value)}
        defaults = {field.name: field.default for field in fields(value)}
        return {n: explicit_fields(v) for n, v in found.items() if v != defaults[n]}
    return (
        [explicit_fields(item) for item in value] if isinstance(value, tuple) else value
    )


def content_of(
    command: Any, expected_version: int | None, not_before: datetime | None
) -> bytes:
    """Return the content that must be the same if the id is repeated."""
    return msgspec.json.encode(
        [type(command).__name__, expected_version, not_before, explicit_fields(command)]
    )


def accept(
    connection: psycopg.Connection[Any],
    command: Any,
    *,
    decider: Decider,
    principal: str,
    key: str,
    secret: bytes,
    expected_version: int | None = None,
    not_before: datetime | None = None,
    masters: MasterKeys | None = None,
) -> AcceptedCommand:
    """
    Write *command* to the journal under *key*, in one round trip.

    *key* is the text of the idempotency key: the same with the same content has the
    answer of the first time. *secret* keys the fingerprint that identifies contents.
    *expected_version* is the version of the stream that the sender has seen, None for
    any. The command waits until *not_before*. With *masters* its personal fields are
    encrypted, with a key of its own that they wrap: accepting needs no other keys of
    the subject.

    Raises KeyReused for the same key with other content, BadStreamId or NotANumber for
    a command that could never take effect, and InternalCommand for one that only
    process managers send.
    """
    row = connection.execute(
        """
        SELECT is_new, is_same FROM public.accept(
            %s, %s, %s, %s, %s, %s::text::jsonb, %s::text::jsonb, %s, %s, %s, %s,
            %s::text::jsonb
        )
        """,
        prepare(
            command,
            decider=decider,
            principal=principal,
            key=key,
            secret=secret,
            expected_version=expected_version,
            not_before=not_before,
            masters=masters,
        ),
    ).fetchone()
    assert row is not None
    is_new, is_same = row
    command_id = command_id_for(principal, key)
    if not is_same:
        raise KeyReused(command_id)
    return AcceptedCommand(command_id, is_new)


class PreparedCommand(NamedTuple):
    """A command as the journal takes it: the arguments of the function `accept`."""

    command_id: UUID
    stream_id: str | None
    category: str
    numbered_by: str | None
    type: str
    data: str
    metadata: str
    principal: str
    fingerprint: bytes
    expected_version: int | None
    not_before: datetime | None
    new_keys: str | None


def prepare(
    command: Any,
    *,
    decider: Decider,
    principal: str,
    key: str,
    secret: bytes,
    expected_version: int | None = None,
    not_before: datetime | None = None,
    masters: MasterKeys | None = None,
) -> PreparedCommand:
    """Return *command* ready for the journal; raises if it could never be stored."""
    stream_id = check_command(command, decider)
    if not_before is not None:
        # The same moment is the same content, in any time zone.
        not_before = not_before.astimezone(UTC)
    command_id = command_id_for(principal, key)
    command_type = type(command).__name__
    data, new_keys = encrypt_command(command, command_id, decider, masters)
    content = content_of(command, expected_version, not_before)
    metadata = {"correlation_id": command_id, "actor": principal}
    return PreparedCommand(
        command_id=command_id,
        stream_id=stream_id,
        category=decider.category,
        numbered_by=decider.numbers,
        type=command_type,
        data=data,
        metadata=msgspec.json.encode(metadata).decode(),
        principal=principal,
        fingerprint=fingerprint_of(content, secret),
        expected_version=expected_version,
        not_before=not_before,
        new_keys=new_keys,
    )


def check_command(command: Any, decider: Decider) -> str | None:
    """
    Return the stream of *command*, None if it gets a number.

    Raises what `accept` raises for a command that could never take effect.
    """
    if type(command) in decider.internal:
        raise InternalCommand(type(command).__name__)
    stream_id = decider.stream_of(command)
    if stream_id is not None:
        check_stream_id(stream_id)
    check_numbers(command)
    return stream_id


def encrypt_command(
    command: Any, command_id: UUID, decider: Decider, masters: MasterKeys | None
) -> tuple[str, str | None]:
    """Return the command's JSON, its personal fields encrypted, and their key."""
    data = msgspec.json.encode(command).decode()
    kind: type = type(command)
    personal = personal_fields(kind)
    if masters is None or not personal:
        return data, None
    subject = find_subject(command, decider)
    key = new_key()
    stored = new_key_row(masters.wrap(key), subject, command_id)
    return encrypt_fields(data, personal, key, command_id), msgspec.json.encode(
        [stored]
    ).decode()


def find_subject(command: Any, decider: Decider) -> str | None:
    """
    Return the stream of the person whom the personal fields of *command* are about.

    None: it is the command's own, which gets its number only when it is accepted.
    """
    return decider.subject(decider.stream_of(command) or "", command) or None


class AcceptanceResult(NamedTuple):
    """
    The result for one of several commands.

    *is_new* is False if the same was accepted before; *is_same* is False if its key was
    used for another content, and it was not accepted. *error* is set if the database
    refused to store it; the other fields then mean nothing.
    """

    command_id: UUID
    is_new: bool = False
    is_same: bool = False
    status: str = ""
    stream_id: str = ""
    error: Exception | None = None

    @property
    def is_promised(self) -> bool:
        """Whether it was accepted, now or before."""
        return self.is_same and self.error is None


def accept_many(
    connection: psycopg.Connection[Any], commands: Sequence[PreparedCommand]
) -> list[AcceptanceResult]:
    """
    Write *commands*, all of one principal, to the journal in their order.

    Each has its own result. If the database refuses the data of one, the set is halved
    until that one is alone. Use a *connection* in autocommit: when this returns they
    are promised, and when it raises none of them is, unless the answer to the commit
    was lost.
    """
    if not commands:
        return []
    try:
        # For the halves this is a savepoint of the caller's transaction.
        with connection.transaction():
            return parse_accepted(connection, commands)
    except psycopg.Error as error:
        if not is_of_the_data(error):
            raise
        if len(commands) == 1:
            return [AcceptanceResult(commands[0].command_id, error=error)]
    half = len(commands) // 2
    with connection.transaction():
        return [
            *accept_many(connection, commands[:half]),
            *accept_many(connection, commands[half:]),
        ]


def parse_accepted(
    connection: psycopg.Connection[Any], commands: Sequence[PreparedCommand]
) -> list[AcceptanceResult]:
    rows = connection.execute(
        """
        SELECT is_new, is_same, status, stream_id
        FROM public.accept_many(%s::text::jsonb, %s, %s::text::jsonb)
        """,
        (lines_of(commands), commands[0].principal, keys_of(commands)),
    ).fetchall()
    return [
        AcceptanceResult(command.command_id, *row)
        for command, row in zip(commands, rows, strict=True)
    ]


def lines_of(commands: Sequence[PreparedCommand]) -> str:
    """Return all as one JSON list; texts that are JSON already are not parsed again."""
    lines = [
        {
            "place": place,
            "command_id": command.command_id,
            "stream_id": command.stream_id,
            "category": command.category,
            "numbered_by": command.numbered_by,
            "type": command.type,
            "data": msgspec.Raw(command.data.encode()),
            "metadata": msgspec.Raw(command.metadata.encode()),
            "fingerprint": command.fingerprint.hex(),
            "expected_version": command.expected_version,
            "not_before": command.not_before,
        }
        for place, command in enumerate(commands)
    ]
    return msgspec.json.encode(lines).decode()


def keys_of(commands: Sequence[PreparedCommand]) -> str:
    """Return the keys of all as one JSON list, which has a list for each command."""
    lists = (command.new_keys for command in commands)
    return "[" + ",".join(keys[1:-1] for keys in lists if keys) + "]"
