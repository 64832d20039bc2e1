"""Accepting: from here on a command is promised."""

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
    """The command's id; *is_new* is False where the same was accepted before."""

    command_id: UUID
    is_new: bool


def explicit_fields(value: Any) -> Any:
    """
    Return what was given in a command, without the fields that have their default.

    A field that a later version adds must not make another content of the same request.
    So a default, once released, stays what it is.
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
    """Return what must be the same where the same id comes again."""
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

    *key* is the text of the idempotency key: the same with the same content is answered
    as the first time. *secret* keys the fingerprint that tells contents apart.
    *expected_version* is the version that the sender has seen of the stream, None for
    any. Until *not_before* it waits. With *masters* its personal fields are encrypted,
    with a key of its own that is wrapped by them: accepting needs no access to what
    else is known of that person.

    Raises KeyReused for the same key with other content, BadStreamId or NotANumber for
    what could never take effect as it was sent, and InternalCommand for what only
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
    """Return *command* ready for the journal; raises for what could never be stored."""
    if type(command) in decider.internal:
        raise InternalCommand(type(command).__name__)
    stream_id = decider.stream_of(command)
    if stream_id is not None:
        check_stream_id(stream_id)
    check_numbers(command)
    if not_before is not None:
        # The same moment is the same content, by whatever clock it was written.
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


def encrypt_command(
    command: Any, command_id: UUID, decider: Decider, masters: MasterKeys | None
) -> tuple[str, str | None]:
    """Return the command's JSON, its personal fields closed, and the key for that."""
    data = msgspec.json.encode(command).decode()
    kind: type = type(command)
    personal = personal_fields(kind)
    if masters is None or not personal:
        return data, None
    # Whom it is about may get a number only now: then their stream is the command's.
    subject = decider.subject(decider.stream_of(command) or "", command) or None
    key = new_key()
    stored = new_key_row(masters.wrap(key), subject, command_id)
    return encrypt_fields(data, personal, key, command_id), msgspec.json.encode(
        [stored]
    ).decode()


class AcceptanceResult(NamedTuple):
    """
    What one of many was answered.

    *is_new* is False where the same was accepted before; *is_same* is False where its
    key stands for another content, and it was not accepted. *error* is set where the
    database refused to store it, and the rest of it is of no use then.
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

    Each is answered by itself. Where the database takes one of them for no value that
    it could store, the set is halved until that one stands alone. Use a *connection* in
    autocommit: when this returns they are promised, and when it raises none of them is,
    unless the answer to the commit was lost.
    """
    if not commands:
        return []
    try:
        # In halves that are undone together this is a savepoint.
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
    """Return all as one JSON list, in which what is JSON already is not read again."""
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
    """Return the keys of all as one JSON list; each command has a list of its own."""
    lists = (command.new_keys for command in commands)
    return "[" + ",".join(keys[1:-1] for keys in lists if keys) + "]"
