"""Catching up all subscriptions: the task behind each signal and each beat."""

import logging
import time
from collections.abc import Iterator

from eventstore.connection import driver_connection
from eventstore.projections.generations import live_generation
from eventstore.projections.project import subscription_of
from eventstore.subscriptions.catch_up import CaughtUp
from eventstore.subscriptions.catch_up import catch_up as catch_up_one
from eventstore.subscriptions.signals import (
    CATCH_UP,
    clear_signal,
    is_signalled,
    send_signal,
)
from eventstore.subscriptions.subscription import Subscription
from tasks import publishing
from tasks.app import app
from tasks.bootstrap import Shop, shop

log = logging.getLogger(__name__)

LONGEST_RUN = 5.0
"""Seconds after which a run that never comes to an end leaves the rest to the next."""


@app.task(name="catch_up")
def catch_up() -> None:
    """Bring every subscription up to what is settled."""
    run(shop())


def run(shop: Shop) -> None:
    """
    Bring every subscription up to what is settled; several at once are harmless.

    Where somebody else reads already, perhaps past what we were told of, the flag goes
    up again and we try once more: whoever lets go of a checkpoint looks at the flag.
    """
    until = time.monotonic() + LONGEST_RUN
    with shop.autocommitting.connect() as connection:
        flag = driver_connection(connection)
        while time.monotonic() < until:
            # Down before reading: what comes after that raises it again.
            clear_signal(flag, CATCH_UP)
            if read(shop):
                if not is_signalled(flag, CATCH_UP):
                    return
            else:
                send_signal(flag, CATCH_UP)
                if not read(shop):
                    return
        clear_signal(flag, CATCH_UP)
    publishing.publish_catch_up(shop)


def read(shop: Shop) -> bool:
    """Catch up each subscription; False where somebody else held one of them."""
    is_complete = True
    for subscription in subscriptions(shop):
        reached = catch_up_one(shop.engine, subscription)
        is_complete &= not reached.is_held
        report(subscription, reached)
    return is_complete


def report(subscription: Subscription, reached: CaughtUp) -> None:
    if reached.stopped_at is not None:
        log.error(
            "stopped subscription=%s position=%d", subscription.name, reached.stopped_at
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
