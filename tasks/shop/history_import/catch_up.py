"""Catch up the read models after an import, in this process."""

import time
from collections.abc import Iterator

from tasks import catch_up
from tasks.broker import publish
from tasks.shop.wiring import Shop

PATIENCE = 10.0
"""Seconds without progress after which we no longer wait for a read model's holder."""


def follow(shop: Shop) -> Iterator[int]:
    """
    Catch up all read models; yield the sum of their lags, in positions.

    The workers get a task, too, and may be faster. It ends when no lag is left, or when
    no checkpoint has moved for some seconds.
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
