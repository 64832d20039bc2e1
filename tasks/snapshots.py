"""The task of beat that takes snapshots, every 30 seconds."""

import logging

from celery.exceptions import SoftTimeLimitExceeded

from eventstore.subscriptions.catch_up import CaughtUp, catch_up
from eventstore.subscriptions.snapshot_taker import (
    ensure_snapshot_taker,
    snapshot_taker,
)
from tasks.app import SOFT_TIME_LIMIT, app
from tasks.shop.wiring import Shop, shop

log = logging.getLogger(__name__)


@app.task(name="take_snapshots")
def take_snapshots() -> None:
    """Take snapshots of the streams that have grown."""
    run(shop())


def run(shop: Shop) -> CaughtUp:
    """
    Take snapshots of the streams that have grown; concurrent runs are harmless.

    It ends after half of a task's time; the next tick does the rest.
    """
    taker = snapshot_taker(
        shop.deciders,
        policy=shop.settings.snapshot_policy,
        interruptions=(SoftTimeLimitExceeded,),
    )
    with shop.lent() as connection:
        ensure_snapshot_taker(connection)
        reached = catch_up(
            connection,
            taker,
            seconds=SOFT_TIME_LIMIT / 2,
            interruptions=(SoftTimeLimitExceeded,),
        )
    if reached.error is not None:
        log.error("no snapshots taken: %s", reached.error)
    log.info(
        "took snapshots handled=%d checkpoint=%d", reached.handled, reached.checkpoint
    )
    return reached
