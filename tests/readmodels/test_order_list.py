"""The list of orders, from an accepted command to the line that staff read."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.address import Address
from domain.customers.commands import ChangeCustomerDetails, RegisterCustomer
from domain.orders.commands import (
    CancelOrder,
    ConfirmDelivery,
    Item,
    PlaceOrder,
    ReceivePayment,
    ShipOrder,
)
from eventstore.projections.views import Page
from readmodels import order_list
from readmodels.order_list import OrderSummaryView
from tasks import catch_up, commands
from tasks.accepting import accept
from tasks.bootstrap import Shop

LONDON = Address(street="12 Orchestra Terrace", city="London", country="UK")
CLOCK = Item(product="RETRO-CLOCK", quantity=2, unit_price=4_950)
LAMP = Item(product="LAMP", quantity=1, unit_price=999)

alice = RegisterCustomer(customer_id="ALICE", name="Alice", email="alice@example.com")
place = PlaceOrder(
    customer_id="ALICE", items=(CLOCK, LAMP), address=LONDON, currency="EUR"
)
cancel = CancelOrder(order_id=1, reason="bought it twice")

Do = Callable[..., None]


@pytest.fixture
def do(shop: Shop) -> Do:
    """Accept commands, run each, and bring the list up to date."""
    keys = map(str, range(1_000))

    def do(*asked: Any) -> None:
        for command in asked:
            accepted = accept(shop, command, key=next(keys), principal="staff")
            commands.run(shop, [accepted.command_id])
        catch_up.run(shop)

    return do


def found(shop: Shop, **asked: Any) -> Page[OrderSummaryView]:
    with shop.engine.connect() as connection:
        return order_list.find(connection, **asked)


def newest(shop: Shop, **asked: Any) -> Sequence[OrderSummaryView]:
    return found(shop, **asked).rows


def test_an_order_is_a_line_of_its_own(shop: Shop, do: Do) -> None:
    do(alice, place)
    (line,) = newest(shop)

    assert line == OrderSummaryView(
        order_id=1,
        customer_id="ALICE",
        customer_name="Alice",
        customer_email="alice@example.com",
        total=10_899,
        currency="EUR",
        status="pending",
        item_count=2,
        tracking_number=None,
        created_at=line.created_at,
        customer_words="alice alice alice example com",
        order_words="1",
    )


def test_a_line_tells_when_its_order_was_created(shop: Shop, do: Do) -> None:
    do(alice, place)
    with shop.engine.connect() as connection:
        happened = connection.exec_driver_sql(
            "SELECT occurred_at FROM events WHERE stream_id = 'order-1'"
        ).scalar_one()

    assert newest(shop)[0].created_at == happened


def test_the_email_of_a_customer_may_be_unknown(shop: Shop, do: Do) -> None:
    do(replace(alice, email=None), place)

    assert newest(shop)[0].customer_email is None


def test_a_customer_who_has_a_number_is_on_the_line(shop: Shop, do: Do) -> None:
    do(replace(alice, customer_id=None), replace(place, customer_id="1"))

    assert newest(shop)[0].customer_name == "Alice"


def test_a_cancelled_order_stays_on_the_list(shop: Shop, do: Do) -> None:
    do(alice, place, cancel)

    assert [line.status for line in newest(shop)] == ["cancelled"]


def test_cancelling_changes_the_status_alone(shop: Shop, do: Do) -> None:
    do(alice, place)
    (before,) = newest(shop)
    do(cancel)

    assert newest(shop) == [replace(before, status="cancelled")]


def test_cancelling_one_order_leaves_the_others(shop: Shop, do: Do) -> None:
    do(alice, place, place, cancel)

    assert [(line.order_id, line.status) for line in newest(shop)] == [
        (2, "pending"),
        (1, "cancelled"),
    ]


def test_an_order_that_was_refused_is_not_on_the_list(shop: Shop, do: Do) -> None:
    do(place)

    assert newest(shop) == []


@pytest.fixture
def five_orders(shop: Shop, do: Do) -> Shop:
    do(alice, *[place] * 5)
    return shop


def numbers(lines: Sequence[OrderSummaryView]) -> list[int]:
    return [line.order_id for line in lines]


def test_the_newest_order_comes_first(five_orders: Shop) -> None:
    assert numbers(newest(five_orders)) == [5, 4, 3, 2, 1]


def test_the_list_is_as_long_as_asked_for(five_orders: Shop) -> None:
    assert numbers(newest(five_orders, limit=2)) == [5, 4]


def test_the_list_goes_on_where_a_page_ended(five_orders: Shop) -> None:
    first = found(five_orders, limit=2)
    second = found(five_orders, limit=2, after=first.following)
    third = found(five_orders, limit=2, after=second.following)

    assert numbers(second.rows) == [3, 2]
    assert (numbers(third.rows), third.following) == ([1], None)


bob = RegisterCustomer(customer_id="BOB", name="Bob")
rename = ChangeCustomerDetails(
    customer_id="ALICE", name="Alice Retro", email="retro@example.com"
)


def test_the_line_follows_the_order_to_its_door(shop: Shop, do: Do) -> None:
    do(alice, place)
    seen = []
    for command in (
        ReceivePayment(order_id=1, amount=10_899),
        ShipOrder(order_id=1, tracking_no="1Z999"),
        ConfirmDelivery(order_id=1, delivered_at=datetime(2026, 12, 24, tzinfo=UTC)),
    ):
        do(command)
        (line,) = newest(shop)
        seen.append((line.status, line.tracking_number))

    assert seen == [("paid", None), ("shipped", "1Z999"), ("delivered", "1Z999")]


def test_a_new_name_is_on_all_lines_of_its_customer_and_on_no_other(
    shop: Shop, do: Do
) -> None:
    bobs = replace(place, customer_id="BOB")
    do(alice, bob, place, bobs, place, rename, place)

    assert [(line.order_id, line.customer_name) for line in newest(shop)] == [
        (4, "Alice Retro"),
        (3, "Alice Retro"),
        (2, "Bob"),
        (1, "Alice Retro"),
    ]
    assert {line.customer_email for line in newest(shop)} == {
        "retro@example.com",
        None,
    }


def test_names_change_in_order_within_a_batch(shop: Shop, do: Do) -> None:
    again = replace(rename, name="Alice Again")
    do(alice, place, rename, again, place)

    assert {line.customer_name for line in newest(shop)} == {"Alice Again"}
