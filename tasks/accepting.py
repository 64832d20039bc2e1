"""Accepting a command: the journal first, then a word to the workers."""

from datetime import UTC, datetime
from typing import Any

from eventstore.connection import driver_connection
from eventstore.journal.accept import Accepted
from eventstore.journal.accept import accept as write_to_journal
from tasks import publishing
from tasks.bootstrap import Shop


def accept(
    shop: Shop,
    command: Any,
    *,
    key: str,
    principal: str,
    expected_version: int | None = None,
    not_before: datetime | None = None,
) -> Accepted:
    """
    Accept *command* under *key*: when this returns it is promised.

    One with a time that is still to come is told to nobody: the relay runs it then.
    Raises KeyReused where the key was used for something else.
    """
    with shop.autocommitting.connect() as connection:
        accepted = write_to_journal(
            driver_connection(connection),
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
        publishing.publish(shop, accepted.command_id, type(command).__name__)
    return accepted
