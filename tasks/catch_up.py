"""Catching up all subscriptions: the task behind each signal and each beat."""

import logging
from collections.abc import Iterator

from eventstore.projections.generations import live_generation
from eventstore.projections.project import subscription_of
from eventstore.subscriptions.catch_up import catch_up as catch_up_one
from eventstore.subscriptions.catch_up import driver_connection
from eventstore.subscriptions.signals import CATCH_UP, clear_signal
from eventstore.subscriptions.subscription import Subscription
from tasks.app import app
from tasks.bootstrap import Shop, shop

log = logging.getLogger(__name__)


@app.task(name="catch_up")
def catch_up() -> None:
    """Bring every subscription up to what is settled."""
    run(shop())


def run(shop: Shop) -> None:
    """
    Bring every subscription up to what is settled; several at once are harmless.

    The flag of the signal is taken down first: an event that comes while we read
    raises it again, and is read then.
    """
    with shop.autocommitting.connect() as connection:
        clear_signal(driver_connection(connection), CATCH_UP)
    for subscription in subscriptions(shop):
        reached = catch_up_one(shop.engine, subscription)
        if reached.stopped_at is not None:
            log.error(
                "stopped subscription=%s position=%d",
                subscription.name,
                reached.stopped_at,
            )
        elif reached.handled:
            log.info(
                "caught up subscription=%s handled=%d checkpoint=%d",
                subscription.name,
                reached.handled,
                reached.checkpoint,
            )


def subscriptions(shop: Shop) -> Iterator[Subscription]:
    """Yield what reads the log: the live generation of each read model."""
    for projection in shop.projections:
        with shop.autocommitting.connect() as connection:
            generation = live_generation(driver_connection(connection), projection)
        if generation is None:
            shop.ensure_read_models()
            generation = 1
        yield subscription_of(projection, generation)
