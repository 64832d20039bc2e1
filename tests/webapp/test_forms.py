"""What people type becomes data, and data what people would have typed."""

from zoneinfo import ZoneInfo

import pytest

from domain.errors import Fault
from webapp.forms.definitions import FORMS
from webapp.forms.labels import sentence, sentence_beside
from webapp.forms.values import data_of, read_values, values_for, without_empty_lines
from webapp.notation import Notation

PLACE = FORMS["PlaceOrder"]
PAY = FORMS["ReceivePayment"]
DELIVER = FORMS["ConfirmDelivery"]
CANCEL = FORMS["CancelOrder"]
REGISTER = FORMS["RegisterCustomer"]
EUROS = Notation(currency="EUR", timezone=ZoneInfo("Europe/Berlin"))


def test_an_empty_field_is_not_in_the_data() -> None:
    typed = read_values(REGISTER, {"name": " Alice ", "email": "", "address.city": " "})

    assert data_of(REGISTER, typed, EUROS) == ({"name": "Alice"}, [])


def test_fields_that_a_form_does_not_have_are_left_out() -> None:
    posted = {"reason": "late", "order_id": "7", "__class__": "x", "items.0.x": "y"}

    assert data_of(CANCEL, read_values(CANCEL, posted), EUROS) == (
        {"reason": "late"},
        [],
    )


def test_lines_keep_their_order_and_empty_ones_do_not_count() -> None:
    posted = {"items.10.product": "Last", "items.9.product": "", "items.2.product": "A"}
    typed = without_empty_lines(PLACE, read_values(PLACE, posted))

    assert [line["product"] for line in typed.lines] == ["A", "Last"]


def test_amounts_are_minor_units_and_discounts_fractions() -> None:
    posted = {
        "items.0.unit_price": "12.5",
        "items.0.quantity": "3",
        "items.0.discount": "12.5 %",
        "freight": "0",
    }
    data, faults = data_of(PLACE, read_values(PLACE, posted), EUROS)

    assert faults == []
    assert data["items"] == [{"unit_price": 1250, "quantity": 3, "discount": "0.125"}]
    assert data["freight"] == 0


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("unit_price", "1,2345.00", "write it like 12.50"),
        ("unit_price", "1234,567.00", "write it like 12.50"),
        ("unit_price", "0,500", "write it like 12.50"),
        ("unit_price", ",500", "write it like 12.50"),
        ("unit_price", "1,234.505", "write it like 12.50"),
        ("unit_price", "1e3", "write it like 12.50"),
        ("unit_price", "-1", "write it like 12.50"),
        ("unit_price", "0.00", "must be at least 0.01"),
        ("unit_price", "1000000000.01", "must be at most 1,000,000,000.00"),
        ("quantity", "1.5", "write a whole number, like 3"),
        ("quantity", "9" * 400, "write a whole number, like 3"),
        ("discount", "101", "write a percentage from 0 to 100, like 5 or 12.5"),
        ("discount", "0.125", "write a percentage from 0 to 100, like 5 or 12.5"),
    ],
)
def test_what_cannot_be_read_is_told_with_an_example(
    name: str, text: str, problem: str
) -> None:
    _, faults = data_of(PLACE, read_values(PLACE, {f"items.0.{name}": text}), EUROS)

    assert faults == [Fault(f"items.0.{name}", problem)]


def test_data_comes_back_as_it_was_typed() -> None:
    posted = {
        "customer_id": "ALICE",
        "items.0.product": "RETRO-CLOCK",
        "items.0.own": "on",
        "items.0.quantity": "2000",
        "items.0.unit_price": "1234567.80",
        "items.0.discount": "5",
        "address.street": "Obere Str. 57",
        "required_date": "2026-12-24",
        "terms": "14",
        "freight": "4.20",
        "discount": "2.5",
    }
    typed = read_values(PLACE, posted)
    data, _ = data_of(PLACE, typed, EUROS)

    assert values_for(PLACE, data, EUROS) == typed


def test_a_payment_may_be_as_high_as_a_total() -> None:
    data, faults = data_of(PAY, read_values(PAY, {"amount": "2000000000.01"}), EUROS)

    assert (data, faults) == ({"amount": 200_000_000_001}, [])


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-23T14:05", "2026-11-23T14:05:00+01:00"),
        ("2026-07-04 14:05", "2026-07-04T14:05:00+02:00"),
        ("2026-07-04T14:05:30", "2026-07-04T14:05:30+02:00"),
        # When the clocks are put back, an hour comes twice: the later one is meant,
        # unless that is still to come.
        ("2020-10-25T02:30", "2020-10-25T02:30:00+01:00"),
        ("2098-10-26T02:30", "2098-10-26T02:30:00+02:00"),
    ],
)
def test_a_time_is_that_of_the_shop_s_clocks(text: str, instant: str) -> None:
    typed = read_values(DELIVER, {"delivered_at": text})

    assert data_of(DELIVER, typed, EUROS) == ({"delivered_at": instant}, [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("yesterday", "write a date and a time, like 2026-11-23 14:05"),
        ("0001-01-01T00:00", "write a date and a time, like 2026-11-23 14:05"),
        ("2026-11-23", "write a date and a time, like 2026-11-23 14:05"),
        ("2026-02-30T14:05", "there is no such day or time"),
        (
            "2026-03-29T02:30",
            "the clocks were put forward then: there was no such time",
        ),
    ],
)
def test_a_time_that_never_was_is_told(text: str, problem: str) -> None:
    _, faults = data_of(DELIVER, read_values(DELIVER, {"delivered_at": text}), EUROS)

    assert faults == [Fault("delivered_at", problem)]


def test_an_instant_comes_back_as_the_shop_s_clocks_show_it() -> None:
    typed = values_for(DELIVER, {"delivered_at": "2026-11-23T13:05:00Z"}, EUROS)

    assert typed.fields == {"delivered_at": "2026-11-23T14:05"}


@pytest.mark.parametrize(
    ("field", "problem", "told", "told_beside"),
    [
        ("address.city", "is missing", "City is missing.", "City is missing."),
        (
            "items.1.unit_price",
            "write it like 12.50",
            "Line 2, unit price: write it like 12.50.",
            "Write it like 12.50.",
        ),
        (
            "items",
            "EmptyOrder: an order has at least one line",
            "An order has at least one line.",
            "An order has at least one line.",
        ),
    ],
)
def test_faults_are_told_in_sentences(
    field: str, problem: str, told: str, told_beside: str
) -> None:
    assert sentence(field, problem) == told
    assert sentence_beside(field, problem) == told_beside
