"""What operators do with commands, and the word to the workers that follows from it."""

from uuid import UUID

from eventstore.connection import driver_connection
from eventstore.journal import acting
from eventstore.journal.abandoned import tell_abandoned
from eventstore.journal.acting import Acted
from tasks import publishing
from tasks.bootstrap import Shop


def retry(shop: Shop, command_id: UUID, *, by: str, because: str) -> Acted | None:
    """Let a failed command have its turn again, and tell the workers."""
    with shop.engine.begin() as connection:
        driver = driver_connection(connection)
        acted = acting.retry(driver, command_id, by=by, because=because)
    if acted is not None and acted.was_done:
        publishing.publish(shop, command_id)
    return acted


def abandon(shop: Shop, command_id: UUID, *, by: str, because: str) -> Acted | None:
    """Give up a failed command for good, and tell whoever waits for it."""
    follow_up = None
    with shop.engine.begin() as connection:
        driver = driver_connection(connection)
        acted = acting.abandon(driver, command_id, by=by, because=because)
        if acted is not None and acted.was_done:
            follow_up = tell_abandoned(
                driver,
                command_id,
                deciders=shop.deciders,
                secret=shop.settings.secret_key.encode(),
            )
    if follow_up is not None:
        publishing.publish(shop, follow_up)
    return acted


def cancel(shop: Shop, command_id: UUID, *, by: str, because: str) -> Acted | None:
    """Take back a scheduled command, whoever has sent it."""
    with shop.engine.begin() as connection:
        driver = driver_connection(connection)
        return acting.cancel(driver, command_id, by=by, because=because)
