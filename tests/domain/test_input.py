"""From plain data to a command: what is accepted, and how each fault is told."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.address import Address
from domain.customers.commands import RegisterCustomer
from domain.errors import InvalidInput
from domain.input import parse
from domain.orders.commands import CancelOrder, Item, PlaceOrder
from tests.support.faults import (
    CLOCK,
    LONDON,
    ORDER,
    faults,
    faults_of_line,
    faults_of_order,
)


def test_plain_data_become_a_command() -> None:
    full = {
        **ORDER,
        "items": [{**CLOCK, "product_id": "RC-1", "discount": "0.05"}],
        "required_date": "2026-12-24",
        "freight": 0,
    }

    assert parse(PlaceOrder, full) == PlaceOrder(
        customer_id="ALICE",
        items=(
            Item(
                product="RETRO-CLOCK",
                product_id="RC-1",
                quantity=2,
                unit_price=4_950,
                discount=Decimal("0.05"),
            ),
        ),
        address=Address(street="12 Orchestra Terrace", city="London", country="UK"),
        currency="EUR",
        required_date=date(2026, 12, 24),
        freight=0,
    )


def test_what_is_optional_may_be_null() -> None:
    command = parse(PlaceOrder, {**ORDER, "required_date": None, "freight": None})

    assert (command.required_date, command.freight) == (None, None)


def test_every_fault_is_told_at_once_and_by_its_path() -> None:
    broken = {
        "items": [CLOCK, {"product": "", "quantity": 0}, {"product": "NUT"}],
        "address": {**LONDON, "city": 7},
        "currency": "euro",
        "voucher": "SPRING",
    }

    assert faults(PlaceOrder, broken).keys() == {
        "customer_id",
        "items.1.product",
        "items.1.quantity",
        "items.2.quantity",
        "address.city",
        "currency",
        "voucher",
    }


def test_the_message_of_a_refusal_has_every_fault() -> None:
    with pytest.raises(InvalidInput, match=r"^order_id: is missing; reason: is miss"):
        parse(CancelOrder, {})


def test_a_missing_field_is_told() -> None:
    assert faults(CancelOrder, {"order_id": 10248}) == {"reason": "is missing"}


def test_null_is_not_a_value_of_a_field_that_is_needed() -> None:
    assert faults_of_order(customer_id=None) == {"customer_id": "must be a text"}


def test_an_unknown_field_is_told_with_the_nearest_name() -> None:
    assert faults_of_line(discuont="0.05") == {
        "items.0.discuont": "is unknown; did you mean discount?"
    }


def test_an_unknown_field_that_resembles_nothing_is_told() -> None:
    assert faults_of_order(voucher="SPRING") == {"voucher": "is unknown"}


@pytest.mark.parametrize("body", [None, [], "order", 7, True])
def test_a_body_must_be_an_object(body: object) -> None:
    assert faults(PlaceOrder, body) == {"body": "must be an object with fields"}


def test_a_nested_object_must_be_one() -> None:
    assert faults_of_order(address="London") == {
        "address": "must be an object with fields"
    }


def test_lines_must_be_a_list() -> None:
    assert faults_of_order(items=CLOCK) == {"items": "must be a list"}


def test_an_order_without_lines_is_named_as_the_rule_it_breaks() -> None:
    assert faults_of_order(items=[])["items"].startswith("EmptyOrder")


def test_an_order_of_500_lines_is_accepted() -> None:
    assert len(parse(PlaceOrder, {**ORDER, "items": [CLOCK] * 500}).items) == 500


def test_an_order_of_501_lines_is_refused() -> None:
    assert faults_of_order(items=[CLOCK] * 501) == {"items": "must be at most 500"}


def test_a_fault_never_repeats_what_was_sent() -> None:
    secret: dict[str, Any] = {"name": "Alice", "email": "my password"}

    assert "my password" not in str(faults(RegisterCustomer, secret))
