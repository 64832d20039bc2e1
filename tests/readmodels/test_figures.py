"""The sums over all orders, beside what a look at each order gives."""

from dataclasses import replace
from decimal import Decimal

import sqlalchemy as sa

from readmodels import figures
from readmodels.figures import Figures
from tasks.shop.wiring import Shop
from tests.support.desk import CLOCK, Do, alice, cancel, deliver, pay, place, ship

ADDED_UP = """
    SELECT count(*) AS orders, sum(gross) AS gross, sum(total) AS total,
        coalesce(sum(freight), 0) AS freight,
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
        orders=3, gross=31_698, total=26_748, freight=450, not_shipped=1
    )


def test_of_no_orders_the_figures_are_nothing(shop: Shop) -> None:
    assert sums(shop) == Figures(orders=0, gross=0, total=0, freight=0, not_shipped=0)


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
    ]
    do(alice)
    for step in steps:
        do(step)
        assert sums(shop) == added_up(shop)

    assert (sums(shop).orders, sums(shop).not_shipped) == (4, 0)
