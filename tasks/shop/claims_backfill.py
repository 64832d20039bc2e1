"""Claims for what did not claim for itself: earlier customers, and imported ones."""

from collections.abc import Iterator

from eventstore.rewriting.claims_backfill import UnclaimedStream, fill_claims
from tasks.shop.wiring import Shop


def fill(shop: Shop) -> Iterator[UnclaimedStream]:
    """Claim for every stream what its state has; yield those that could not."""
    for decider in shop.deciders.all:
        if decider.claims_something:
            with shop.lent() as connection:
                for unclaimed in fill_claims(
                    connection, shop.deciders, decider.category
                ):
                    yield from unclaimed


def describe_unclaimed(unclaimed: UnclaimedStream) -> str:
    """Return what an operator is told, which is neither the value nor whose it is."""
    return f"no claim for {unclaimed.stream_id}: {unclaimed.reason}; it stays as it is"
