"""From plain data to a command: what is accepted, and how each fault is told."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from domain.address import Address
from domain.customers.commands import RegisterCustomer
from domain.errors import InvalidInput
from domain.input import parse
from domain.orders.commands import (
    CancelOrder,
    ConfirmDelivery,
    Item,
    PlaceOrder,
    ReturnOrder,
)

LONDON = {"street": "12 Orchestra Terrace", "city": "London", "country": "UK"}
CLOCK = {"product": "RETRO-CLOCK", "quantity": 2, "unit_price": 4_950}
ORDER = {
    "customer_id": "ALICE",
    "items": [CLOCK],
    "address": LONDON,
    "currency": "EUR",
}


def faults(message: type, data: object) -> dict[str, str]:
    """Return what is wrong with *data*, by field."""
    with pytest.raises(InvalidInput) as refusal:
        parse(message, data)
    return {fault.field: fault.problem for fault in refusal.value.faults}


def faults_of_order(**changes: object) -> dict[str, str]:
    return faults(PlaceOrder, {**ORDER, **changes})


def faults_of_line(**changes: object) -> dict[str, str]:
    return faults_of_order(items=[{**CLOCK, **changes}])


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


def test_true_is_no_whole_number() -> None:
    assert faults_of_line(quantity=True) == {
        "items.0.quantity": "must be a whole number"
    }


@pytest.mark.parametrize("quantity", [2.0, 2.5, "2", None, float("nan")])
def test_only_a_whole_number_is_one(quantity: object) -> None:
    assert faults_of_line(quantity=quantity) == {
        "items.0.quantity": "must be a whole number"
    }


@pytest.mark.parametrize("quantity", [0, -1, 100_001, 10**30])
def test_a_quantity_has_bounds(quantity: int) -> None:
    assert faults_of_line(quantity=quantity) == {
        "items.0.quantity": "must be from 1 to 100,000"
    }


@pytest.mark.parametrize("price", [0, -4_950, 100_000_000_001])
def test_a_price_has_bounds(price: int) -> None:
    assert faults_of_line(unit_price=price).keys() == {"items.0.unit_price"}


def test_freight_may_cost_nothing_and_not_less() -> None:
    assert faults_of_order(freight=-1).keys() == {"freight"}


@pytest.mark.parametrize("discount", ["0", "1", "0.05", "0.1250", "0.0001"])
def test_a_discount_is_a_decimal_fraction(discount: str) -> None:
    command = parse(PlaceOrder, {**ORDER, "items": [{**CLOCK, "discount": discount}]})

    assert command.items[0].discount == Decimal(discount)


@pytest.mark.parametrize(
    "discount",
    ["-0.1", "1.0001", "0.00001"],
)
def test_a_discount_is_from_zero_to_one_with_four_digits(discount: str) -> None:
    assert faults_of_line(discount=discount) == {
        "items.0.discount": 'must be a decimal fraction from "0" to "1", like "0.05"'
    }


@pytest.mark.parametrize(
    "discount",
    [
        0.05,
        0,
        True,
        None,
        "5 %",
        "",
        "0" * 41,
        "NaN",
        "-Infinity",
        "1e-9",
        " 0.1",
        "0_1",
    ],
)
def test_a_discount_is_written_as_a_text(discount: object) -> None:
    assert faults_of_line(discount=discount) == {
        "items.0.discount": 'must be a decimal number in quotes, like "0.05"'
    }


@pytest.mark.parametrize(
    "day",
    ["24.12.2026", "2026-02-30", "soon", 20261224, "", "0001-01-01", "9999-12-31"],
)
def test_a_date_is_written_year_month_day(day: object) -> None:
    assert faults_of_order(required_date=day) == {
        "required_date": "must be a date like 2026-11-23"
    }


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_a_text_must_not_be_empty(text: str) -> None:
    assert faults_of_line(product=text) == {"items.0.product": "must not be empty"}


@pytest.mark.parametrize("text", ["RETRO\0CLOCK", "RETRO-\ud83d", "\udd70-CLOCK"])
def test_a_text_must_be_storable(text: str) -> None:
    assert faults_of_line(product=text) == {
        "items.0.product": "must not contain a NUL or half a character"
    }


def test_a_whole_character_beyond_the_first_plane_is_accepted() -> None:
    data = {"order_id": 10248, "reason": "🕰"}

    assert parse(CancelOrder, data).reason == "🕰"


def test_a_text_as_long_as_its_field_is_accepted() -> None:
    data = {"order_id": 10248, "reason": "x" * 500}

    assert len(parse(CancelOrder, data).reason) == 500


def test_a_text_that_is_too_long_is_told_its_length() -> None:
    assert faults(CancelOrder, {"order_id": 10248, "reason": "x" * 501}) == {
        "reason": "must have at most 500 characters"
    }


@pytest.mark.parametrize(
    "moment",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "2026-11-23T14:05:00+23:59",
        "2026-11-23T14:05:00-15:01",
    ],
)
def test_a_time_that_other_clocks_cannot_show_is_refused(moment: str) -> None:
    data = {"order_id": 10248, "delivered_at": moment}

    assert faults(ConfirmDelivery, data).keys() == {"delivered_at"}


@pytest.mark.parametrize("currency", ["eur", "EURO", "EU", "€", "EUR\n"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    assert faults_of_order(currency=currency).keys() == {"currency"}


@pytest.mark.parametrize("email", ["alice", "alice@home", "a b@example.com", "@x.y"])
def test_an_email_looks_like_one(email: str) -> None:
    assert faults(RegisterCustomer, {"name": "Alice", "email": email}) == {
        "email": "must be an e-mail address like alice@example.com"
    }


@pytest.mark.parametrize("customer_id", ["17", "ALFKI", "a.b-c"])
def test_an_order_is_for_a_number_or_a_name(customer_id: str) -> None:
    assert parse(PlaceOrder, {**ORDER, "customer_id": customer_id}).customer_id == (
        customer_id
    )


@pytest.mark.parametrize("customer_id", ["-17", "al fki", "alice/../bob", "ä"])
def test_a_customers_id_has_letters_digits_dots_and_dashes(customer_id: str) -> None:
    assert faults_of_order(customer_id=customer_id).keys() == {"customer_id"}


def test_who_registers_with_an_id_may_not_take_a_number() -> None:
    assert faults(RegisterCustomer, {"name": "Mallory", "customer_id": "17"}) == {
        "customer_id": "must be a letter first, "
        "then also digits, dots, dashes or underscores"
    }


@pytest.mark.parametrize("order_id", [0, -1, 2**53 + 1])
def test_an_orders_number_has_bounds(order_id: int) -> None:
    assert faults(CancelOrder, {"order_id": order_id, "reason": "late"}).keys() == {
        "order_id"
    }


def test_a_fault_never_repeats_what_was_sent() -> None:
    secret: dict[str, Any] = {"name": "Alice", "email": "my password"}

    assert "my password" not in str(faults(RegisterCustomer, secret))


def test_yes_and_no_are_true_and_false_and_nothing_else() -> None:
    assert parse(ReturnOrder, {"order_id": 1, "with_freight": True}).with_freight
    for wrong in (1, "true", None):
        assert faults(ReturnOrder, {"order_id": 1, "with_freight": wrong}) == {
            "with_freight": "must be true or false"
        }
