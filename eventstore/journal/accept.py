"""Accepting: from here on a command is promised."""

from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import psycopg

from eventstore.decider import Decider
from eventstore.errors import KeyReused
from eventstore.ids import command_id_for, fingerprint_of


class Accepted(NamedTuple):
    """The command's id; *is_new* is False where the same was accepted before."""

    command_id: UUID
    is_new: bool


def given(value: Any) -> Any:
    """
    Return what was given in a command, without the fields that have their default.

    A field that a later version adds must not make another content of the same request.
    So a default, once released, stays what it is.
    """
    if is_dataclass(value):
        found = {field.name: getattr(value, field.name) for field in fields(value)}
        defaults = {field.name: field.default for field in fields(value)}
        return {n: given(v) for n, v in found.items() if v != defaults[n]}
    return [given(item) for item in value] if isinstance(value, tuple) else value


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
) -> Accepted:
    """
    Write *command* to the journal under *key*, in one round trip.

    The same key with the same content is answered as the first time. Raises KeyReused
    for other content. *secret* keys the fingerprint that tells the two apart.
    """
    command_id = command_id_for(principal, key)
    command_type = type(command).__name__
    data = msgspec.json.encode(command)
    content = msgspec.json.encode(
        [command_type, expected_version, not_before, given(command)]
    )
    row = connection.execute(
        """
        SELECT is_new, is_same FROM public.accept(
            %s, %s, %s, %s, %s, %s::text::jsonb, %s::text::jsonb, %s, %s, %s, %s
        )
        """,
        (
            command_id,
            decider.stream_of(command),
            decider.category,
            decider.numbers,
            command_type,
            data.decode(),
            msgspec.json.encode(
                {"correlation_id": command_id, "actor": principal}
            ).decode(),
            principal,
            fingerprint_of(content, secret),
            expected_version,
            not_before,
        ),
    ).fetchone()
    assert row is not None
    is_new, is_same = row
    if not is_same:
        raise KeyReused(command_id)
    return Accepted(command_id, is_new)
