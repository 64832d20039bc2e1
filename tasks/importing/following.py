"""The read models follow an import: this process catches them up itself."""

from collections.abc import Iterator

from tasks import catch_up, publishing
from tasks.bootstrap import Shop


def follow(shop: Shop) -> Iterator[int]:
    """
    Catch up all read models; yield how many positions they still lag, together.

    The workers are told too. It ends when all has been read, or when somebody who holds
    a checkpoint has not moved it for a whole run.
    """
    publishing.publish_catch_up(shop)
    before = find_lag(shop)
    yield before
    while not catch_up.run(shop):
        lag = find_lag(shop)
        if lag >= before:
            return
        before = lag
        yield lag


def find_lag(shop: Shop) -> int:
    return sum(
        standing.lag
        for standing in catch_up.find_live_standings(shop)
        if standing.stopped_at_position is None
    )
