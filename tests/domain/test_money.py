"""Money: exact inside, rounded once, and never guessed when somebody writes it."""

from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.fields import MAX_AMOUNT, MAX_QUANTITY
from domain.money import (
    format_amount,
    format_number,
    line_amounts,
    minor_digits,
    parse_amount,
    rounded_total,
)

lines = st.lists(
    st.tuples(
        st.integers(1, MAX_AMOUNT),
        st.integers(1, MAX_QUANTITY),
        st.decimals(0, 1, places=4),
    ),
    max_size=30,
)


@settings(deadline=None, database=None)
@given(lines)
def test_the_total_is_exact_and_rounded_half_up_once(
    lines: list[tuple[int, int, Decimal]],
) -> None:
    exact = sum(
        (
            price * quantity * (1 - Fraction(discount))
            for price, quantity, discount in lines
        ),
        start=Fraction(0),
    )

    assert rounded_total(lines) == floor(exact + Fraction(1, 2))


@settings(deadline=None, database=None)
@given(lines, st.decimals(0, 1, places=4))
def test_what_is_shown_of_an_order_adds_up(
    lines: list[tuple[int, int, Decimal]], discount: Decimal
) -> None:
    amounts = line_amounts(lines)
    total = rounded_total(lines, discount)

    assert sum(amounts) == rounded_total(lines)
    # What a page shows as the discount on all of it, which never adds something.
    assert sum(amounts) >= total >= 0
    assert sum(line_amounts(lines, discount)) == total


@settings(deadline=None, database=None)
@given(lines)
def test_a_line_is_shown_less_than_one_cent_off_its_exact_worth(
    lines: list[tuple[int, int, Decimal]],
) -> None:
    for (price, quantity, off), amount in zip(lines, line_amounts(lines), strict=True):
        exact = price * quantity * (1 - Fraction(off))
        assert abs(amount - exact) < 1
        assert amount >= 0


def test_a_line_without_a_fraction_is_shown_as_it_is() -> None:
    half = (1, 1, Decimal("0.5"))

    assert line_amounts([half, (2_390, 10, Decimal("0.25"))]) == [1, 17_925]


def test_half_a_cent_is_rounded_up() -> None:
    assert rounded_total([(1, 1, Decimal("0.5"))]) == 1


def test_less_than_half_a_cent_is_rounded_down() -> None:
    assert rounded_total([(1, 1, Decimal("0.5001"))]) == 0


def test_two_half_cents_are_one_cent_and_not_two() -> None:
    assert rounded_total([(1, 1, Decimal("0.5")), (1, 1, Decimal("0.5"))]) == 1


def test_no_lines_are_worth_nothing() -> None:
    assert rounded_total([]) == 0


@pytest.mark.parametrize(("currency", "digits"), [("JPY", 0), ("EUR", 2), ("KWD", 3)])
def test_the_currency_tells_the_digits_behind_the_point(
    currency: str, digits: int
) -> None:
    assert minor_digits(currency) == digits


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        (126_579_322, "USD", "1,265,793.22 USD"),
        (5, "EUR", "0.05 EUR"),
        (0, "EUR", "0.00 EUR"),
        (-1_250, "EUR", "-12.50 EUR"),
        (1_250, "JPY", "1,250 JPY"),
        (1_250, "KWD", "1.250 KWD"),
    ],
)
def test_an_amount_is_shown_as_people_write_it(
    amount: int, currency: str, written: str
) -> None:
    assert format_amount(amount, currency) == written


def test_a_number_is_shown_without_its_currency() -> None:
    assert format_number(1_250, "EUR") == "12.50"


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("12", "EUR", 1_200),
        ("12.5", "EUR", 1_250),
        ("12.50", "EUR", 1_250),
        (" 12.50 ", "EUR", 1_250),
        ("0.05", "EUR", 5),
        ("1250", "JPY", 1_250),
        ("1.25", "KWD", 1_250),
    ],
)
def test_an_amount_is_read_as_people_write_it(
    text: str, currency: str, amount: int
) -> None:
    assert parse_amount(text, currency) == amount


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("", "EUR"),
        ("1,000.00", "EUR"),
        ("12,50", "EUR"),
        ("12.505", "EUR"),
        ("12.", "EUR"),
        (".50", "EUR"),
        ("-12", "EUR"),
        ("+12", "EUR"),
        ("1e3", "EUR"),
        ("NaN", "EUR"),
        ("12 EUR", "EUR"),
        ("١٢", "EUR"),
        ("1234567890123456", "EUR"),
        ("12.5", "JPY"),
        ("1.2345", "KWD"),
    ],
)
def test_an_amount_that_could_mean_two_things_is_asked_for_again(
    text: str, currency: str
) -> None:
    with pytest.raises(ValueError, match="write it like"):
        parse_amount(text, currency)


@settings(deadline=None, database=None)
@given(
    st.integers(0, MAX_AMOUNT),
    st.sampled_from(["EUR", "JPY", "KWD"]),
)
def test_what_is_shown_can_be_written_back(amount: int, currency: str) -> None:
    shown = format_number(amount, currency).replace(",", "")

    assert parse_amount(shown, currency) == amount
