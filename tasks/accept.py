"""Accept commands: write them to the journal, then send a task to the workers."""

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
"""Commands of one round trip and commit; another sender's set waits for that long."""
STREAMS_OF_A_TASK = 50
"""With more in a task, its worker's child would be busy for too long."""


class CommandRequest(NamedTuple):
    """A command to accept, with its key and the time it is due."""

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

    A command with a time in the future gets no task: the relay runs it then.
    Raises KeyReused if the key was used for another command.
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
    Accept a set of commands; return a result for each.

    When this returns, those whose result says `is_promised` are promised.
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
    """Send tasks that name each stream by its first new command."""
    first: dict[str, UUID] = {}
    for answer in answered:
        if answer.is_new and answer.error is None:
            first.setdefault(answer.stream_id, answer.command_id)
    ids = list(first.values())
    for start in range(0, len(ids), STREAMS_OF_A_TASK):
        publish.publish_many(shop, ids[start : start + STREAMS_OF_A_TASK])
