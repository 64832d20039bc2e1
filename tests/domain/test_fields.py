"""The kinds of field that commands are made of: which values each of them accepts."""

from decimal import Decimal

import pytest

from domain.customers.commands import RegisterCustomer
from domain.input import parse
from domain.orders.commands import (
    AddNote,
    CancelOrder,
    ConfirmDelivery,
    PlaceOrder,
    ReturnOrder,
    VoidPayment,
)
from tests.support.faults import CLOCK, ORDER, faults, faults_of_line, faults_of_order


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


def test_yes_and_no_are_true_and_false_and_nothing_else() -> None:
    assert parse(ReturnOrder, {"order_id": 1, "with_freight": True}).with_freight
    for wrong in (1, "true", None):
        assert faults(ReturnOrder, {"order_id": 1, "with_freight": wrong}) == {
            "with_freight": "must be true or false"
        }


@pytest.mark.parametrize("terms", [0, 14, 365])
def test_terms_are_days_and_may_be_none(terms: int) -> None:
    assert parse(PlaceOrder, {**ORDER, "terms": terms}).terms == terms


@pytest.mark.parametrize("terms", [-1, 366])
def test_terms_are_a_year_at_most(terms: int) -> None:
    assert faults_of_order(terms=terms) == {"terms": "must be from 0 to 365"}


@pytest.mark.parametrize("payment", [0, -1])
def test_payments_are_counted_from_one(payment: int) -> None:
    assert faults(VoidPayment, {"order_id": 1, "payment": payment}).keys() == {
        "payment"
    }


def test_a_note_may_have_several_lines() -> None:
    told = {"order_id": 1, "customer_id": "ALICE", "text": "Wrapped.\nIn red."}

    assert parse(AddNote, told).text == "Wrapped.\nIn red."
    assert faults(AddNote, {**told, "text": "x" * 1_001}) == {
        "text": "must have at most 1000 characters"
    }
