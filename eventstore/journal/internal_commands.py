"""Send commands of our own processes: write them to the journal at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from eventstore.aggregates.decider import Deciders
from eventstore.errors import KeyReused
from eventstore.ids import command_id_for, fingerprint_of
from eventstore.journal.accept import content_of, encrypt_command
from eventstore.log.limits import check_numbers, check_stream_id
from eventstore.steps import Statement, Steps, take_steps


@dataclass(frozen=True, slots=True, kw_only=True)
class InternalRequest:
    """
    A command to send, with its *key*, its cause and the time it is due.

    *actor* is the user it is sent for; None: nobody but the process.
    """

    command: Any
    key: str
    correlation_id: UUID
    causation_id: UUID
    actor: str | None = None
    not_before: datetime | None = None


SEND = b"""
    SELECT c.id, a.is_same
    FROM unnest(
        %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
        %s::text[], %s::bytea[], %s::timestamptz[], %s::text[]
    ) WITH ORDINALITY AS c (
        id, stream, category, numbers, type, data,
        metadata, content, due_at, new_key, place
    )
    CROSS JOIN LATERAL public.accept(
        c.id, c.stream, c.category, c.numbers, c.type, c.data::jsonb,
        c.metadata::jsonb, %s, c.content, NULL, c.due_at, c.new_key::jsonb
    ) AS a
    ORDER BY c.place
"""


def send(
    connection: psycopg.Connection[Any],
    outgoing: Sequence[InternalRequest],
    *,
    deciders: Deciders,
    principal: str,
    secret: bytes,
) -> list[UUID]:
    """Do what `send_in_steps` does, by itself."""
    steps = send_in_steps(
        outgoing, deciders=deciders, principal=principal, secret=secret
    )
    [ids] = take_steps(connection, [steps])
    return ids


def send_in_steps(
    outgoing: Sequence[InternalRequest],
    *,
    deciders: Deciders,
    principal: str,
    secret: bytes,
) -> Steps[list[UUID]]:
    """
    Write commands to the journal in the caller's transaction, and return their ids.

    One statement for all. *principal* is a process of ours, `process:…`: the ids are
    made of it and the keys, so a repetition has the same result. Raises KeyReused if
    one of the keys was used for other content.
    """
    if not outgoing:
        return []
    ids = [command_id_for(principal, sent.key) for sent in outgoing]
    rows = [
        arguments(sent, command_id, deciders, principal, secret)
        for sent, command_id in zip(outgoing, ids, strict=True)
    ]
    [answers] = yield [
        Statement(SEND, (*map(list, zip(*rows, strict=True)), principal))
    ]
    for command_id, is_same in answers:
        if not is_same:
            raise KeyReused(command_id)
    return ids


def arguments(
    sent: InternalRequest,
    command_id: UUID,
    deciders: Deciders,
    principal: str,
    secret: bytes,
) -> tuple[Any, ...]:
    """Return the arguments of `accept` for one command, in the statement's order."""
    decider = deciders.of_command(type(sent.command))
    stream_id = decider.stream_of(sent.command)
    if stream_id is not None:
        check_stream_id(stream_id)
    check_numbers(sent.command)
    data, new_key = encrypt_command(sent.command, command_id, decider, deciders.masters)
    metadata = {
        "correlation_id": sent.correlation_id,
        "causation_id": sent.causation_id,
        "actor": sent.actor or principal,
    }
    content = content_of(sent.command, None, sent.not_before)
    return (
        command_id,
        stream_id,
        decider.category,
        decider.numbers,
        type(sent.command).__name__,
        data,
        msgspec.json.encode(metadata).decode(),
        fingerprint_of(content, secret),
        sent.not_before,
        new_key,
    )
