"""Telling the workers, best effort: what matters is in PostgreSQL already."""

import logging
from collections.abc import Sequence
from uuid import UUID

from tasks.app import app
from tasks.bootstrap import Shop

log = logging.getLogger(__name__)


def publish(shop: Shop, command_id: UUID, command_type: str = "execute") -> None:
    """
    Send the task that runs a command; the message holds its id and nothing else.

    A broker that is away is no error: the relay runs what nobody was told of.
    """
    send("execute", shop, [[str(command_id)]], str(command_id), command_type)


def publish_many(shop: Shop, command_ids: Sequence[UUID]) -> None:
    """Send one task for the streams of several commands; it is called as the first."""
    ids = [str(command_id) for command_id in command_ids]
    send("execute", shop, [ids], ids[0], "many")


def publish_catch_up(shop: Shop) -> None:
    """Send the signal that there may be something to read in the log."""
    if shop.settings.catch_up_signals:
        send("catch_up", shop, [])


def send(
    name: str,
    shop: Shop,
    arguments: list[object],
    task_id: str | None = None,
    shadow: str | None = None,
) -> None:
    try:
        app.send_task(name, arguments, task_id=task_id, shadow=shadow)
    except Exception as error:
        log.warning("not published task=%s error=%s", name, type(error).__name__)
