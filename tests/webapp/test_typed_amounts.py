"""What is typed as an amount: read if it has one meaning, asked about if it has two."""

from zoneinfo import ZoneInfo

import pytest
from babel import localedata
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.fields import MAX_AMOUNT, MAX_QUANTITY
from domain.money import minor_digits
from webapp.formats import read, write
from webapp.notation import Notation
from webapp.number_signs import signs_of
from webapp.typed_numbers import DECIMALS

CURRENCIES = ("EUR", "JPY", "KWD")
"""With two digits, with none and with three."""
EURO_TWICE = "write the one you mean, with 2 digits at its end"
YEN_TWICE = "write a whole number, like 1234"
DINAR_TWICE = "write the one you mean, with 3 digits at its end"


def in_digits(zero: str, text: str) -> str:
    """Return *text* in the digits that count from *zero*."""
    return text.translate({ord("0") + n: ord(zero) + n for n in range(10)})


def problem_with(name: str, text: str, notation: Notation) -> str:
    with pytest.raises(ValueError, match=r"\w") as refused:
        read(name, text, notation)
    return str(refused.value)


def shop_in(locale: str, currency: str = "EUR") -> Notation:
    return Notation(currency=currency, timezone=ZoneInfo("UTC"), locale=locale)


ARABIC = in_digits("\u0660", "1,234")


@pytest.mark.parametrize(
    ("locale", "currency", "text", "amount"),
    [
        ("en", "EUR", "35", 3_500),
        ("en", "EUR", "35.9", 3_590),
        ("en", "EUR", "35.90", 3_590),
        ("en", "EUR", "35,90", 3_590),
        ("en", "EUR", "1,234.50", 123_450),
        ("en", "EUR", "1.234,50", 123_450),
        ("en", "EUR", "1,234,567", 123_456_700),
        ("en", "EUR", "1,234,567.8", 123_456_780),
        ("en", "EUR", "1'234.50", 123_450),
        ("en", "EUR", "1 234", 123_400),
        ("en", "EUR", in_digits("\uff10", "12\uff0e50"), 1_250),
        ("en", "KWD", "1.234", 1_234),
        ("en", "KWD", "1,234.567", 1_234_567),
        ("en", "KWD", "1234,567", 1_234_567),
        ("en", "JPY", "1,234", 1_234),
        ("de", "EUR", "35,90", 3_590),
        ("de", "EUR", "35.90", 3_590),
        ("de", "EUR", "1234,5", 123_450),
        ("de", "EUR", "1.234,50", 123_450),
        ("de", "EUR", "1,234.50", 123_450),
        ("de", "EUR", "1.234.567", 123_456_700),
        ("de", "KWD", "1,234", 1_234),
        ("de", "KWD", "0.500", 500),
        ("de", "JPY", "1.234", 1_234),
        ("de-CH", "CHF", "1'234.50", 123_450),
        ("de-CH", "CHF", "1\u2019234\u2019567.50", 123_456_750),
        ("de-CH", "CHF", "1 234.50", 123_450),
        ("de-CH", "CHF", "35,90", 3_590),
        ("fr", "EUR", "1\u202f234,50", 123_450),
        ("fr", "EUR", "1\xa0234,50", 123_450),
        ("fr", "EUR", "1 234,50", 123_450),
        ("fr", "EUR", "35.90", 3_590),
        ("hi", "INR", "12,34,567.50", 123_456_750),
        ("hi", "INR", "1,23,456", 12_345_600),
        ("hi", "INR", "1,234,567.50", 123_456_750),
        ("hi", "INR", "१२,३४,५६७.५०", 123_456_750),
        ("ja", "JPY", "1,234", 1_234),
        ("ja", "JPY", in_digits("\uff10", "1\uff0c234"), 1_234),
        ("sv", "SEK", "1\xa0234,50", 123_450),
        ("sv", "SEK", "1 234,50", 123_450),
        ("sv", "SEK", "1 234", 123_400),
        ("ar", "EGP", "1,234.50", 123_450),
        ("ar", "EGP", in_digits("\u0660", "1\u066c234\u066b50"), 123_450),
        ("ar", "EGP", in_digits("\u0660", "\u200f12\u066b5\u200f"), 1_250),
        ("ar", "KWD", in_digits("\u0660", "1234\u066b567"), 1_234_567),
        ("ar", "KWD", "1.234", 1_234),
    ],
)
def test_an_amount_with_one_meaning_is_read(
    locale: str, currency: str, text: str, amount: int
) -> None:
    notation = shop_in(locale.replace("-", "_"), currency)

    assert read("amount", text, notation) == amount


@pytest.mark.parametrize(
    ("locale", "currency", "text", "asked"),
    [
        ("en", "EUR", "1,234", f"can mean 1,234.00 or 1.234; {EURO_TWICE}"),
        ("en", "EUR", "1.234", f"can mean 1,234.00 or 1.234; {EURO_TWICE}"),
        ("en", "EUR", "12.345", f"can mean 12,345.00 or 12.345; {EURO_TWICE}"),
        ("en", "KWD", "1,234", f"can mean 1,234.000 or 1.234; {DINAR_TWICE}"),
        ("en", "JPY", "1.234", f"can mean 1,234 or 1.234; {YEN_TWICE}"),
        ("de", "EUR", "1.234", f"can mean 1.234,00 or 1,234; {EURO_TWICE}"),
        ("de", "EUR", "1,234", f"can mean 1.234,00 or 1,234; {EURO_TWICE}"),
        ("de", "KWD", "1.234", f"can mean 1.234,000 or 1,234; {DINAR_TWICE}"),
        ("de", "JPY", "1,234", f"can mean 1.234 or 1,234; {YEN_TWICE}"),
        ("de-CH", "CHF", "1,234", f"can mean 1'234.00 or 1.234; {EURO_TWICE}"),
        ("fr", "EUR", "1.234", f"can mean 1\u202f234,00 or 1,234; {EURO_TWICE}"),
        ("hi", "INR", "12,345", f"can mean 12,345.00 or 12.345; {EURO_TWICE}"),
        ("ja", "JPY", "1.234", f"can mean 1,234 or 1.234; {YEN_TWICE}"),
        ("sv", "SEK", "1,234", f"can mean 1\xa0234,00 or 1,234; {EURO_TWICE}"),
        (
            "ar",
            "EGP",
            in_digits("\u0660", "1,234"),
            f"can mean 1,234.00 or 1.234; {EURO_TWICE}",
        ),
    ],
)
def test_an_amount_with_two_meanings_is_asked_about_with_both(
    locale: str, currency: str, text: str, asked: str
) -> None:
    notation = shop_in(locale.replace("-", "_"), currency)

    assert problem_with("amount", text, notation) == asked


@pytest.mark.parametrize(
    ("locale", "currency", "text", "like"),
    [
        ("en", "EUR", "1235.905", "12.50"),
        ("en", "EUR", "0,500", "12.50"),
        ("en", "EUR", ",50", "12.50"),
        ("en", "EUR", "12.", "12.50"),
        ("en", "EUR", "12,34,567.50", "12.50"),
        ("en", "EUR", "12 50", "12.50"),
        ("en", "EUR", "1,234.567,00", "12.50"),
        ("en", "EUR", "1,234'567", "12.50"),
        ("en", "EUR", "0,123,456", "12.50"),
        ("en", "EUR", "1²", "12.50"),
        ("en", "EUR", "1" * 16, "12.50"),
        ("en", "EUR", "12 EUR", "12.50"),
        ("de", "EUR", "1.23.456", "12,50"),
        ("de", "EUR", "1235,905", "12,50"),
        ("de", "EUR", "-1", "12,50"),
        ("de", "KWD", "0,5000", "1,250"),
        ("ja", "JPY", "12.5", "1250"),
        ("ar", "EGP", "\u06612", "12.50"),
        ("ar", "EGP", "\u0661\u06f2", "12.50"),
    ],
)
def test_what_is_no_amount_is_told_with_an_example(
    locale: str, currency: str, text: str, like: str
) -> None:
    problem = problem_with("amount", text, shop_in(locale, currency))

    assert problem == f"write it like {like}"


LOCALES = sorted(localedata.locale_identifiers())
AMOUNTS = st.integers(min_value=1, max_value=MAX_AMOUNT)


@settings(deadline=None, database=None, max_examples=2_000)
@given(st.sampled_from(LOCALES), st.sampled_from(CURRENCIES), AMOUNTS)
def test_an_amount_is_read_as_pages_and_forms_write_it(
    locale: str, currency: str, amount: int
) -> None:
    notation = shop_in(locale, currency)
    shown = notation.write_amount(amount, currency)
    filled_in = write("amount", amount, notation)

    assert read("amount", shown, notation) == amount
    assert read("amount", filled_in, notation) == amount


def test_every_locale_of_babel_is_written_and_read() -> None:
    wrong = [
        (locale, currency, amount)
        for locale in LOCALES
        for currency in CURRENCIES
        for amount in (1, 999, 123_456, 123_456_789, MAX_AMOUNT)
        if not is_read_as_shown(amount, shop_in(locale, currency))
    ]

    assert wrong == []


def is_read_as_shown(amount: int, notation: Notation) -> bool:
    shown = notation.write_amount(amount, notation.currency)
    return read("amount", shown, notation) == amount


def test_no_locale_has_signs_that_could_not_be_told_apart() -> None:
    for signs in map(signs_of, LOCALES):
        assert signs.decimal in DECIMALS
        assert signs.group not in ("", signs.decimal)


@settings(deadline=None, database=None)
@given(st.sampled_from(LOCALES), st.integers(0, 10_000), st.integers(1, MAX_QUANTITY))
def test_a_percentage_and_a_quantity_are_read_as_pages_write_them(
    locale: str, hundredths: int, quantity: int
) -> None:
    notation = shop_in(locale)
    part = format(hundredths / 10_000, ".4f")

    assert float(str(read("discount", notation.write_percent(part), notation))) == (
        hundredths / 10_000
    )
    assert read("quantity", notation.write_number(quantity), notation) == quantity


@pytest.mark.parametrize(
    ("locale", "text", "part"),
    [
        ("en", "12.5", "0.125"),
        ("en", "12,5 %", "0.125"),
        ("de", "12,5", "0.125"),
        ("de", "12.5", "0.125"),
        ("de", "12,5\xa0%", "0.125"),
        ("tr", "%12,5", "0.125"),
        ("ar", in_digits("\u0660", "12\u066b5\u066a"), "0.125"),
        ("de", "100", "1"),
    ],
)
def test_a_percentage_may_have_the_decimal_sign_of_any_locale(
    locale: str, text: str, part: str
) -> None:
    assert read("discount", text, shop_in(locale)) == part


@pytest.mark.parametrize("text", ["101", "1.234", "12,555", "", "%", "-5"])
def test_what_is_no_percentage_is_told_with_an_example(text: str) -> None:
    wish = "write a percentage from 0 to 100, like 5 or 12,5"

    assert problem_with("discount", text, shop_in("de")) == wish


@pytest.mark.parametrize(
    ("locale", "text", "problem"),
    [
        ("de", "1,5", "write a whole number, like 3"),
        ("de", "1,234", "can mean 1.234 or 1,234; write a whole number, like 1234"),
        ("de", "100.001", "must be from 1 to 100.000"),
        ("en", "0", "must be from 1 to 100,000"),
        ("sv", "\u22121", "must be from 1 to 100\xa0000"),
    ],
)
def test_a_quantity_that_cannot_be_is_told_in_the_shop_s_notation(
    locale: str, text: str, problem: str
) -> None:
    assert problem_with("quantity", text, shop_in(locale)) == problem


@pytest.mark.parametrize(
    ("locale", "text", "problem"),
    [
        ("de", "0,00", "must be at least 0,01"),
        ("de", "1000000000,01", "must be at most 1.000.000.000,00"),
        ("hi", "1000000000.01", "must be at most 1,00,00,00,000.00"),
    ],
)
def test_a_bound_is_told_in_the_shop_s_notation(
    locale: str, text: str, problem: str
) -> None:
    assert problem_with("unit_price", text, shop_in(locale)) == problem


def test_both_meanings_can_be_typed_as_they_are_asked_about() -> None:
    notation = shop_in("en", "KWD")

    assert read("amount", "1,234.000", notation) == 1_234_000
    assert read("amount", "1.234", notation) == 1_234


def test_currencies_have_the_digits_of_iso_4217_in_every_locale() -> None:
    assert [minor_digits(currency) for currency in CURRENCIES] == [2, 0, 3]
    assert shop_in("ja").write_amount(1_250, "EUR") == "12.50"
    assert shop_in("de").write_amount(1_250, "JPY") == "1.250"
    assert shop_in("de").write_amount(1_250, "KWD") == "1,250"
