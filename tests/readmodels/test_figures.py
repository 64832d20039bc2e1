"""The sums over all orders, beside what a look at each order gives."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from domain.orders.commands import ChangedItem, ChangeItems, ReturnOrder
from eventstore.log.append import append
from readmodels import figures
from readmodels.figures import Figures
from tasks import catch_up
from tasks.shop.wiring import Shop
from tests.support.desk import (
    CLOCK,
    Do,
    alice,
    cancel,
    deliver,
    pay,
    place,
    return_all,
    return_one_clock,
    ship,
    ship_one_clock,
    three_clocks,
)
from tests.support.order_histories import OrderHistories
from tests.support.shop_histories import ShopHistory

ADDED_UP = """
    SELECT count(*) AS orders, sum(gross) AS gross, sum(total) AS total,
        sum(freight + coalesce(carriage, 0)) AS freight,
        count(*) FILTER (WHERE status IN ('pending', 'paid')) AS not_shipped
    FROM readmodels.order_details
"""


def sums(shop: Shop) -> Figures:
    with shop.engine.connect() as connection:
        return figures.find(connection)


def added_up(shop: Shop) -> Figures:
    """Return the sums of the rows of all orders."""
    with shop.engine.connect() as connection:
        row = connection.execute(sa.text(ADDED_UP)).one()
    return Figures(**{name: int(value) for name, value in row._mapping.items()})


def test_the_figures_are_those_of_all_orders(shop: Shop, do: Do) -> None:
    half = replace(CLOCK, discount=Decimal("0.5"))
    do(alice, place, place, replace(place, items=(half,), freight=450))
    do(pay, ship, replace(cancel, order_id=2))

    assert sums(shop) == Figures(
        orders=3, gross=31_698, total=27_198, freight=450, not_shipped=1
    )


def test_of_no_orders_the_figures_are_nothing(shop: Shop) -> None:
    assert sums(shop) == Figures(orders=0, gross=0, total=0, freight=0, not_shipped=0)


def test_what_is_changed_or_comes_back_counts_as_it_is_then(shop: Shop, do: Do) -> None:
    do(alice, place, three_clocks)
    assert (sums(shop).gross, sums(shop).total) == (15_849, 15_849)

    do(replace(pay, amount=15_849), ship, return_one_clock)
    assert (sums(shop).gross, sums(shop).total) == (15_849, 10_899)

    do(return_all)
    assert sums(shop) == Figures(
        orders=1, gross=15_849, total=0, freight=0, not_shipped=0
    )


def test_after_each_step_of_an_order_the_figures_are_the_sums_of_the_rows(
    shop: Shop, do: Do
) -> None:
    present = replace(
        place, items=(replace(CLOCK, discount=Decimal(1)),), discount=Decimal(0)
    )
    steps = [
        place,
        pay,
        replace(place, freight=1_200),
        replace(pay, order_id=2),
        # Paid, and yet cancelled; again, which changes nothing; sent all the same.
        replace(cancel, order_id=2),
        replace(cancel, order_id=2),
        replace(ship, order_id=2),
        ship,
        # Neither is to be: it is under way.
        cancel,
        ship,
        deliver,
        # A present is shipped without a payment.
        present,
        replace(ship, order_id=3),
        place,
        replace(cancel, order_id=4),
        return_one_clock,
        return_all,
        # What is left of it was shipped before: nothing waits any more.
        replace(place, freight=650, terms=14),
        replace(ship_one_clock, order_id=5),
        replace(three_clocks, order_id=5),
        ChangeItems(order_id=5, items=(ChangedItem(line=1, quantity=1),), freight=0),
        replace(ship, order_id=5),
        ReturnOrder(order_id=5, with_freight=True),
    ]
    do(alice)
    for step in steps:
        do(step)
        assert sums(shop) == added_up(shop), step

    assert (sums(shop).orders, sums(shop).not_shipped) == (5, 0)


def test_what_nobody_was_asked_for_stays_however_the_order_is_changed(
    shop: Shop, do: Do
) -> None:
    """The freight of an order of version 2 is noted, and in no total."""
    do(alice)
    with shop.transaction() as connection:
        append(connection, [("order-1", an_old_order())], expected={"order-1": 0})
    catch_up.run(shop)
    assert (sums(shop).freight, sums(shop)) == (650, added_up(shop))

    do(ChangeItems(order_id=1, items=(ChangedItem(line=1, quantity=1),), freight=100))
    assert (sums(shop).freight, sums(shop)) == (750, added_up(shop))


def an_old_order() -> Any:
    """Return the first event of an order of Alice, of version 2, with freight."""
    for seed in range(1_000):
        event = next(OrderHistories.of(seed).stream())
        is_old = event.metadata.schema == "2.0" and '"freight": 650' in event.data
        if is_old and '"customer_id": "ALICE"' in event.data:
            return event
    raise AssertionError("chance has made no such order")


@pytest.mark.parametrize("seed", range(3))
def test_of_any_history_the_figures_are_the_sums_of_the_rows(
    shop: Shop, seed: int
) -> None:
    with shop.lent() as connection:
        ShopHistory.of(seed).append(connection, 300)
    catch_up.run(shop)

    assert sums(shop) == added_up(shop)
    assert sums(shop).orders > 50
