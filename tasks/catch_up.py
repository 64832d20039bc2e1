"""Catching up all subscriptions: the task behind each signal and each beat."""

import logging
import time
from collections.abc import Sequence
from functools import cache
from typing import Any

import psycopg

from eventstore.connection import driver_connection
from eventstore.projections.generations import live_generations, shape_of
from eventstore.projections.project import subscription_of
from eventstore.subscriptions.catch_up import CaughtUp, lag
from eventstore.subscriptions.catch_up import catch_up as catch_up_one
from eventstore.subscriptions.signals import CATCH_UP, clear_signal, send_signal
from eventstore.subscriptions.standing import Standing, find_standings
from eventstore.subscriptions.subscription import Subscription
from tasks import publishing
from tasks.app import app
from tasks.bootstrap import Shop, shop

log = logging.getLogger(__name__)

LONGEST_RUN = 5.0
"""Seconds after which a run that never comes to an end leaves the rest to the next."""
SHARE = 0.25
"""Of its time a run reads: under load it reads in sets, and leaves time to others."""
LONGEST_PAUSE = 0.1


@app.task(name="catch_up")
def catch_up() -> None:
    """Bring every subscription up to what is settled."""
    if not run(shop()):
        publishing.publish_catch_up(shop())


def run(shop: Shop) -> bool:
    """
    Bring every subscription up to what is settled; several at once are harmless.

    Returns False where time was up before the end was reached: somebody goes on.

    The flag stays up while we read: whoever appends meanwhile need not send another
    signal, since we look once more when it is down.
    """
    with shop.lent() as connection:
        return run_on(shop, connection)


def run_on(shop: Shop, connection: psycopg.Connection[Any]) -> bool:
    until = time.monotonic() + LONGEST_RUN
    subscriptions = live_subscriptions(shop, connection)
    names = [subscription.name for subscription in subscriptions]
    while (started := time.monotonic()) < until:
        for subscription in subscriptions:
            seconds = until - time.monotonic()
            report(
                subscription, catch_up_one(connection, subscription, seconds=seconds)
            )
        clear_signal(connection, CATCH_UP)
        # Also where somebody else holds a checkpoint: he may have read before what we
        # were told of was there, and we wait until one of us has read it.
        if not lag(connection, names):
            return True
        send_signal(connection, CATCH_UP)
        pause = (time.monotonic() - started) * (1 / SHARE - 1)
        time.sleep(min(pause, LONGEST_PAUSE))
    return False


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


def live_subscriptions(
    shop: Shop, connection: psycopg.Connection[Any]
) -> Sequence[Subscription]:
    """
    Return what reads the log: the live generation of each read model.

    One that was made from another definition is left alone: its tables do not fit.
    """
    live = live_generations(connection)
    if any(projection.name not in live for projection in shop.projections):
        shop.ensure_read_models()
        live = live_generations(connection)
    subscriptions = []
    for projection in shop.projections:
        number, shape = live[projection.name]
        if shape == shape_of(projection):
            subscriptions.append(subscription_of(projection, number))
        else:
            say_outdated(projection.name)
    return subscriptions


def find_live_standings(shop: Shop) -> list[Standing]:
    """Return where the live read models stand: not those that are kept, or filled."""
    with shop.autocommitting.connect() as connection:
        live = live_subscriptions(shop, driver_connection(connection))
        return find_standings(connection, [subscription.name for subscription in live])


@cache
def say_outdated(name: str) -> None:
    """Log it once a process: a catch-up comes every few milliseconds."""
    log.error(
        "%s stands still, made for another version: recount rebuild %s", *[name] * 2
    )
