"""The read models follow an import: this process catches them up itself."""

import time
from collections.abc import Iterator

from tasks import catch_up
from tasks.broker import publish
from tasks.shop.wiring import Shop

PATIENCE = 10.0
"""Seconds without a step after which the holder of a read model is left to it."""


def follow(shop: Shop) -> Iterator[int]:
    """
    Catch up all read models; yield how many positions they still lag, together.

    The workers are told too, and may be faster. It ends when all has been read, or when
    nothing has moved for some seconds.
    """
    publish.publish_catch_up(shop)
    lag = find_lag(shop)
    yield lag
    moved_at = time.monotonic()
    while lag and time.monotonic() - moved_at < PATIENCE:
        catch_up.run(shop)
        before, lag = lag, find_lag(shop)
        if lag < before:
            moved_at = time.monotonic()
            yield lag
        else:
            time.sleep(0.1)


def find_lag(shop: Shop) -> int:
    return sum(
        standing.lag
        for standing in catch_up.find_live_standings(shop)
        if not standing.is_stopped
    )
