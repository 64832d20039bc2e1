"""A read store that is fed from a shop, by a writer whose turns a test gives."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from eventstore.errors.stores import CopyMoved, StoreAway
from eventstore.stores import registry
from eventstore.stores.feeder import Feeder
from eventstore.stores.row_store import RowStore
from eventstore.stores.writer import Writer
from tasks.shop.connections import connect
from tasks.shop.wiring import Shop

PATIENCE = 60.0


@contextmanager
def written(shop: Shop, store: RowStore) -> Iterator[Writer]:
    """Yield a writer of *store*, which has written nothing so far."""
    with connect(shop.settings.database_url, "relay") as connection:
        assert registry.take_turn(connection, store.name)
        yield Writer(store, connection, seconds_between_purges=0)


def settle(writer: Writer) -> None:
    """
    Give turns until each copy has all changes that there were at the beginning.

    The store may be away or changed for a while, as for `Writer.run`.
    """
    begun = time.time()
    end = time.monotonic() + PATIENCE
    writer.next_orders = float("-inf")
    while True:
        for feeder in writer.feeders:
            feeder.next_certificate = feeder.rests_until = float("-inf")
        try:
            has_more = writer.turn() == 0
        except (StoreAway, CopyMoved) as error:
            has_more = True
            time.sleep(min(writer.rest_after(error), 0.5))
        if not has_more and have_all(writer, begun):
            return
        assert time.monotonic() < end, [feeder.error for feeder in writer.feeders]


def have_all(writer: Writer, since: float) -> bool:
    """Return whether all copies had all changes after a moment."""
    # A read model that has failed rests, and has no feeder meanwhile.
    is_whole = len(writer.feeders) == len(writer.names)
    return is_whole and all(has_all(feeder, since) for feeder in writer.feeders)


def has_all(feeder: Feeder, since: float) -> bool:
    """Return whether the copy that answers had all changes after a moment."""
    serving = feeder.shelf.serving
    if serving is None or feeder.shelf.upcoming is not None:
        return False
    reached = feeder.mover.checkpoint_of(serving)
    if reached is None or reached.certified_at is None:
        return False
    return reached.certified_at >= since
