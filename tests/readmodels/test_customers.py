"""The customers: what is known of them, and what they are worth."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from readmodels import customers
from readmodels.customers import CustomerView
from tasks import catch_up
from tasks.shop.wiring import Shop
from tests.support.desk import (
    CLOCK,
    LONDON,
    Do,
    alice,
    bob,
    cancel,
    pay,
    place,
    rename,
    return_all,
    return_one_clock,
    ship,
    three_clocks,
)
from tests.support.shop_histories import ShopHistory


def all_of(shop: Shop, **asked: Any) -> Sequence[CustomerView]:
    with shop.engine.connect() as connection:
        return customers.find(connection, **asked).rows


def one(shop: Shop, customer_id: str) -> CustomerView:
    with shop.engine.connect() as connection:
        found = customers.find_one(connection, customer_id)
    assert found is not None
    return found


def test_a_customer_is_known_by_the_details(shop: Shop, do: Do) -> None:
    do(replace(alice, contact_name="Al", phone="0", address=LONDON))
    customer = one(shop, "ALICE")

    assert (customer.name, customer.email, customer.contact_name, customer.phone) == (
        "Alice",
        "alice@example.com",
        "Al",
        "0",
    )
    assert customer.address == LONDON


def test_who_ordered_nothing_is_worth_nothing(shop: Shop, do: Do) -> None:
    do(alice)
    customer = one(shop, "ALICE")

    assert (customer.orders, customer.worth, customer.currency) == (0, 0, None)
    assert customer.last_order_at is None


def test_a_customer_is_worth_what_was_ordered(shop: Shop, do: Do) -> None:
    do(alice, bob, place, replace(place, items=(CLOCK,)))
    customer = one(shop, "ALICE")

    assert (customer.orders, customer.worth, customer.currency) == (2, 20_799, "EUR")
    assert one(shop, "BOB").orders == 0


def test_a_cancelled_order_is_worth_nothing(shop: Shop, do: Do) -> None:
    do(alice, place, place, cancel)
    customer = one(shop, "ALICE")

    assert (customer.orders, customer.cancelled, customer.worth) == (2, 1, 10_899)


def test_placed_and_cancelled_in_one_batch_comes_to_the_same(
    shop: Shop, do: Do
) -> None:
    do(alice, place, cancel)

    assert (one(shop, "ALICE").orders, one(shop, "ALICE").worth) == (1, 0)


def test_a_payment_changes_nothing_of_it(shop: Shop, do: Do) -> None:
    do(alice, place)
    before = one(shop, "ALICE")
    do(pay, ship)

    assert one(shop, "ALICE") == before


def test_a_customer_is_worth_what_the_orders_cost_now(shop: Shop, do: Do) -> None:
    do(alice, replace(place, freight=650), three_clocks)
    changed = one(shop, "ALICE")
    do(replace(pay, amount=16_499), ship, return_one_clock)
    returned = one(shop, "ALICE")
    do(return_all)

    assert (changed.orders, changed.worth) == (1, 16_499)
    assert returned.worth == 11_549
    # The freight was not given back.
    assert (one(shop, "ALICE").worth, one(shop, "ALICE").orders) == (650, 1)


ADDED_UP = """
    SELECT c.customer_id, count(o.order_id),
        count(*) FILTER (WHERE o.status = 'cancelled'),
        coalesce(sum(o.total) FILTER (WHERE o.status <> 'cancelled'), 0)::bigint,
        max(o.created_at)
    FROM readmodels.customers AS c
    LEFT JOIN readmodels.order_details AS o USING (customer_id)
    GROUP BY c.customer_id
"""


@pytest.mark.parametrize("seed", range(3))
def test_of_any_history_a_customer_is_worth_the_sum_of_the_orders(
    shop: Shop, seed: int
) -> None:
    with shop.lent() as connection:
        ShopHistory.of(seed).append(connection, 300)
        catch_up.run(shop)
        wanted = connection.execute(ADDED_UP).fetchall()
        found = connection.execute(
            "SELECT customer_id, orders, cancelled, worth, last_order_at"
            " FROM readmodels.customers"
        ).fetchall()

    assert sorted(found) == sorted(wanted)
    assert sum(orders for _, orders, *_ in found) > 50


def test_new_details_leave_the_worth(shop: Shop, do: Do) -> None:
    do(alice, place, rename)
    customer = one(shop, "ALICE")

    assert (customer.name, customer.worth, customer.version) == (
        "Alice Retro",
        10_899,
        2,
    )


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, ["ALICE", "BOB", "ZOE"]),
        ({"sort": "-name"}, ["ZOE", "BOB", "ALICE"]),
        ({"sort": "-worth"}, ["BOB", "ALICE", "ZOE"]),
        ({"sort": "orders"}, ["ZOE", "ALICE", "BOB"]),
        ({"search": "zoe"}, ["ZOE"]),
        ({"search": "ali"}, ["ALICE"]),
        ({"search": "example"}, ["ALICE"]),
        ({"search": "nobody"}, []),
    ],
)
def test_the_customers_are_as_asked_for(
    shop: Shop, do: Do, asked: dict[str, Any], expected: list[str]
) -> None:
    bobs = replace(place, customer_id="BOB")
    do(replace(bob, customer_id="ZOE", name="Zoë"), bob, alice, place, bobs, bobs)

    assert [customer.customer_id for customer in all_of(shop, **asked)] == expected


def test_a_customer_that_nobody_registered_is_not_there(shop: Shop) -> None:
    with shop.engine.connect() as connection:
        assert customers.find_one(connection, "ALICE") is None
