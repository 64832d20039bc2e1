"""Accepting a command: the journal first, then a word to the workers."""

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
) -> Accepted:
    """
    Accept *command* under *key*: when this returns it is promised.

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
            masters=shop.deciders.masters,
        )
    if accepted.is_new:
        publishing.publish(shop, accepted.command_id, type(command).__name__)
    return accepted
