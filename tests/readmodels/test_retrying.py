"""A retry of the shop's read models makes the rows that a rebuild makes."""

from collections.abc import Mapping, Sequence

import pytest

from domain.customers.commands import ForgetCustomer
from eventstore.projections.generations import live_generations
from eventstore.projections.parked_streams import find_parked
from eventstore.projections.tables import tables_of
from eventstore.rebuilding.rebuild import rebuild
from eventstore.rebuilding.retrying import retry_parked
from readmodels import ALL
from tasks.shop.wiring import Shop
from tests.support.desk import Do
from tests.support.parking import park_stream
from tests.support.past_checks import HISTORY

MODELS = [projection for projection in ALL if projection.streams]


def rows_of(shop: Shop) -> Mapping[str, Sequence[str]]:
    """Return all rows of the live generations, by read model or look-up."""
    found = {}
    with shop.lent() as connection:
        live = live_generations(connection)
        for projection in MODELS:
            tables = tables_of(projection, live[projection.name].number)
            named = {"": tables.rows, **tables.lookups}
            for name, table in named.items():
                rows = connection.execute(
                    f"SELECT to_jsonb(t) FROM readmodels.{table.name} AS t".encode()
                )
                found[f"{projection.name} {name}"] = sorted(map(str, rows))
    return found


@pytest.mark.parametrize("is_forgotten", [False, True], ids=["known", "forgotten"])
@pytest.mark.parametrize(
    ("streams", "position"),
    [
        (["customer-ALICE"], 0),
        (["customer-ALICE", "order-1"], 4),
        (["order-1", "account-A", "transfer-1"], 0),
        (["customer-ALICE", "order-2", "order-3", "account-A", "account-B"], 6),
    ],
)
def test_a_retry_makes_the_rows_that_a_rebuild_makes(
    shop: Shop, do: Do, streams: Sequence[str], position: int, is_forgotten: bool
) -> None:
    """Parked from *position* on, with what is parked because of them."""
    for projection in MODELS:
        for stream_id in streams:
            park_stream(shop, projection.name, stream_id, position)
    do(*HISTORY)
    if is_forgotten:
        do(ForgetCustomer(customer_id="ALICE"))
    old = rows_of(shop)
    masters = shop.deciders.masters
    with shop.lent() as connection:
        for projection in MODELS:
            retry_parked(connection, projection, masters=masters)
        left = find_parked(connection)
    retried = rows_of(shop)
    with shop.lent() as connection:
        for projection in MODELS:
            rebuild(connection, projection, masters=masters)

    assert left == []
    assert retried == rows_of(shop) != old
