"""Add missing claims: those of customers registered earlier, and of imported ones."""

from collections.abc import Iterator

from eventstore.rewriting.claims_backfill import UnclaimedStream, fill_claims
from tasks.shop.wiring import Shop


def fill(shop: Shop) -> Iterator[UnclaimedStream]:
    """Claim for every stream the values of its state; yield streams that failed."""
    for decider in shop.deciders.all:
        if decider.claims_something:
            with shop.lent() as connection:
                for unclaimed in fill_claims(
                    connection, shop.deciders, decider.category
                ):
                    yield from unclaimed


def describe_unclaimed(unclaimed: UnclaimedStream) -> str:
    """Return a message for the operator, without the value and its subject."""
    return f"no claim for {unclaimed.stream_id}: {unclaimed.reason}; it stays as it is"
