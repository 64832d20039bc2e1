"""Retry, abandon or cancel a command for an operator, and send the task it needs."""

from typing import Any
from uuid import UUID

import psycopg

from eventstore.journal import operator_actions
from eventstore.journal.operator_actions import ActionResult, tell_abandoned
from tasks.broker import publish
from tasks.shop.wiring import Shop


def retry(
    shop: Shop, command_id: UUID, *, by: str, because: str
) -> ActionResult | None:
    """Put a failed command back to waiting, and send its task."""
    with shop.transaction() as connection:
        acted = operator_actions.retry(connection, command_id, by=by, because=because)
    if acted is not None and acted.was_done:
        publish.publish(shop, command_id)
    return acted


def abandon(
    shop: Shop, command_id: UUID, *, by: str, because: str
) -> ActionResult | None:
    """
    Abandon a failed or undecidable command, and notify those who wait for it.

    The next due command of its stream gets a task.
    """
    follow_up, is_next = None, None
    with shop.transaction() as connection:
        acted = operator_actions.abandon(connection, command_id, by=by, because=because)
        if acted is not None and acted.was_done:
            follow_up = tell_abandoned(
                connection,
                command_id,
                deciders=shop.deciders,
                secret=shop.settings.secret_key.encode(),
            )
        if acted is not None and acted.was_done:
            is_next = next_behind(connection, command_id)
    for told in (follow_up, is_next):
        if told is not None:
            publish.publish(shop, told)
    return acted


def next_behind(connection: psycopg.Connection[Any], command_id: UUID) -> UUID | None:
    """Return the next due command in the stream of an abandoned one, or None."""
    row = connection.execute(
        "SELECT public.next_due(c.stream_id) FROM public.commands AS c WHERE c.id = %s",
        (command_id,),
    ).fetchone()
    return row[0] if row else None


def cancel(
    shop: Shop, command_id: UUID, *, by: str, because: str
) -> ActionResult | None:
    """Cancel a scheduled command of any sender."""
    with shop.transaction() as connection:
        return operator_actions.cancel(connection, command_id, by=by, because=because)
