"""Notes of colleagues about an order."""

from dataclasses import replace
from typing import Any

import pytest

from domain.customers.customer import Customer, CustomerIsForgotten
from domain.orders import rules
from tests.support.desk import note
from tests.support.order_events import (
    all_returned,
    cancelled,
    delivered,
    noted,
    order,
    order_rules,
    paid,
    placed,
    shipped,
)


@pytest.mark.parametrize(
    "past",
    [[], [paid], [shipped], [shipped, delivered], [shipped, all_returned], [cancelled]],
)
def test_an_order_is_noted_about_whatever_its_status(past: list[Any]) -> None:
    order.given(placed, *past).when(note).then(noted)


def test_the_same_may_be_noted_twice() -> None:
    order.given(placed, noted).when(note).then(noted)


def test_a_note_changes_nothing_else() -> None:
    before = order.given(placed, paid).state

    assert order.given(placed, paid, noted).state == before


def test_a_note_is_encrypted_with_the_key_of_who_ordered() -> None:
    order.given(placed).when(replace(note, customer_id="BOB")).then_rejected(
        rules.WrongCustomer, "Order 1 is not one of customer BOB."
    )


def test_nothing_is_noted_about_who_was_forgotten() -> None:
    forgotten = order_rules.reading(customer=Customer(is_forgotten=True))

    forgotten.given(placed).when(note).then_rejected(CustomerIsForgotten, "ALICE")
