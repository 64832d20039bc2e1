"""Accepting a command: the journal first, then a word to the workers."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from eventstore.errors import EventStoreError
from eventstore.ids import command_id_for
from eventstore.journal.accept import (
    AcceptanceResult,
    AcceptedCommand,
    PreparedCommand,
    prepare,
)
from eventstore.journal.accept import accept as write_command
from eventstore.journal.accept import accept_many as write_commands
from tasks.broker import publish
from tasks.shop.wiring import Shop

IN_A_SET = 500
"""So many are one round trip and one commit, and another's set waits no longer."""
STREAMS_OF_A_TASK = 50
"""A task that names more would keep its worker's child from single commands."""


class CommandRequest(NamedTuple):
    """A command as it is to be accepted, under its key."""

    command: Any
    key: str
    expected_version: int | None = None


def accept(
    shop: Shop,
    command: Any,
    *,
    key: str,
    principal: str,
    expected_version: int | None = None,
    not_before: datetime | None = None,
) -> AcceptedCommand:
    """
    Accept *command* under *key*: when this returns it is promised.

    One with a time that is still to come is told to nobody: the relay runs it then.
    Raises KeyReused where the key was used for something else.
    """
    with shop.lent(keep_after=(Exception,)) as connection:
        accepted = write_command(
            connection,
            command,
            decider=shop.deciders.of_command(type(command)),
            principal=principal,
            key=key,
            secret=shop.settings.secret_key.encode(),
            expected_version=expected_version,
            not_before=not_before,
            masters=shop.deciders.masters,
        )
    is_scheduled = not_before is not None and not_before > datetime.now(UTC)
    if accepted.is_new and not is_scheduled:
        publish.publish(shop, accepted.command_id, type(command).__name__)
    return accepted


def accept_many(
    shop: Shop, wanted: Sequence[CommandRequest], *, principal: str
) -> list[AcceptanceResult]:
    """
    Accept one set of commands, and answer each by itself.

    Those that `is_promised` says it of are promised when this returns.
    """
    ready: list[PreparedCommand] = []
    ids = [command_id_for(principal, one.key) for one in wanted]
    answers: list[AcceptanceResult | None] = []
    for command_id, one in zip(ids, wanted, strict=True):
        try:
            ready.append(prepare_request(shop, one, principal))
            answers.append(None)
        except EventStoreError as error:
            answers.append(AcceptanceResult(command_id, error=error))
    with shop.lent() as connection:
        written = iter(write_commands(connection, ready))
    answered = [answer or next(written) for answer in answers]
    tell_workers(shop, answered)
    return answered


def prepare_request(
    shop: Shop, wanted: CommandRequest, principal: str
) -> PreparedCommand:
    return prepare(
        wanted.command,
        decider=shop.deciders.of_command(type(wanted.command)),
        principal=principal,
        key=wanted.key,
        secret=shop.settings.secret_key.encode(),
        expected_version=wanted.expected_version,
        masters=shop.deciders.masters,
    )


def tell_workers(shop: Shop, answered: Iterable[AcceptanceResult]) -> None:
    """Send tasks that name the streams, each by the first new command in it."""
    first: dict[str, UUID] = {}
    for answer in answered:
        if answer.is_new and answer.error is None:
            first.setdefault(answer.stream_id, answer.command_id)
    ids = list(first.values())
    for start in range(0, len(ids), STREAMS_OF_A_TASK):
        publish.publish_many(shop, ids[start : start + STREAMS_OF_A_TASK])
