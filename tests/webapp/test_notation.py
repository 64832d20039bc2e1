"""How pages write amounts, numbers, days and times: as the locale of the shop does."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from babel import Locale, localedata
from babel.dates import format_date
from babel.numbers import format_decimal

from tasks.shop.settings import Settings
from tests.support.settings import settings_for
from webapp.notation import (
    END_OF_ISOLATE,
    ISOLATE,
    Notation,
    notation_of,
    plain_notation,
)
from webapp.number_signs import signs_of

BERLIN = ZoneInfo("Europe/Berlin")
AFTERNOON = datetime(2026, 11, 23, 13, 5, tzinfo=UTC)
DAY = date(2026, 11, 23)


def shop_in(locale: str, currency: str = "EUR") -> Notation:
    return Notation(currency=currency, timezone=BERLIN, locale=locale)


@pytest.mark.parametrize(
    ("locale", "amount", "number", "percent", "less"),
    [
        ("en", "1,234,567.89 EUR", "12,345", "12.5 %", "-0.05"),
        ("en_US", "1,234,567.89 EUR", "12,345", "12.5%", "-0.05"),
        ("de", "1.234.567,89 EUR", "12.345", "12,5\xa0%", "-0,05"),
        ("de_CH", "1'234'567.89 EUR", "12'345", "12.5%", "-0.05"),
        ("fr", "1\u202f234\u202f567,89 EUR", "12\u202f345", "12,5\xa0%", "-0,05"),
        ("hi", "12,34,567.89 EUR", "12,345", "12.5%", "-0.05"),
        ("en_IN", "12,34,567.89 EUR", "12,345", "12.5%", "-0.05"),
        ("sv", "1\xa0234\xa0567,89 EUR", "12\xa0345", "12,5\xa0%", "\u22120,05"),
        ("ar", "1,234,567.89 EUR", "12,345", "12.5%", "\u200e-0.05"),
        ("tr", "1.234.567,89 EUR", "12.345", "%12,5", "-0,05"),
    ],
)
def test_numbers_are_written_with_the_signs_of_the_locale(
    locale: str, amount: str, number: str, percent: str, less: str
) -> None:
    notation = shop_in(locale)

    assert notation.write_money(123_456_789, "EUR") == amount
    assert notation.write_number(12_345) == number
    assert notation.write_percent("0.125") == percent
    assert notation.write_amount(-5, "EUR") == less


@pytest.mark.parametrize(
    ("locale", "day", "moment"),
    [
        ("en", "23 Nov 2026", "23 Nov 2026, 14:05"),
        ("en_GB", "23 Nov 2026", "23 Nov 2026, 14:05"),
        ("en_US", "Nov 23, 2026", "Nov 23, 2026, 2:05\u202fPM"),
        ("de", "23.11.2026", "23.11.2026, 14:05"),
        ("fr", "23 nov. 2026", "23 nov. 2026, 14:05"),
        ("fi", "23.11.2026", "23.11.2026 14.05"),
        ("ja", "2026/11/23", "2026/11/23 14:05"),
    ],
)
def test_days_and_times_are_written_as_the_locale_does(
    locale: str, day: str, moment: str
) -> None:
    notation = shop_in(locale)

    assert notation.write_day(DAY) == day
    assert notation.write_moment(AFTERNOON) == moment


def test_a_day_from_right_to_left_does_not_mix_with_what_is_beside_it() -> None:
    hebrew, english = (shop_in(name).write_moment(AFTERNOON) for name in ("he", "en"))

    assert (hebrew[0], hebrew[-1]) == (ISOLATE, END_OF_ISOLATE)
    assert ISOLATE not in english


def test_a_locale_groups_digits_as_babel_does() -> None:
    number = Decimal("1234567.25")
    wrong = [
        name
        for name in localedata.locale_identifiers()
        # Of those, Babel leaves out the apostrophes: see signs_of.
        if signs_of(name).group != "'"
        and signs_of(name).write(number, 2) != format_decimal(number, locale=name)
    ]

    assert wrong == []


def test_every_locale_of_babel_can_write_a_day() -> None:
    for name in localedata.locale_identifiers():
        day = shop_in(name).write_moment(AFTERNOON)
        if name != "en":
            assert format_date(DAY, "medium", Locale.parse(name)) in day


@pytest.mark.parametrize(
    ("seconds", "age"),
    [(5.4, "5 s"), (180, "3 min"), (7_200, "2 hours"), (2e8, "2.314 days")],
)
def test_a_duration_is_in_its_largest_unit(seconds: float, age: str) -> None:
    assert shop_in("de").write_age(seconds) == age


def test_the_command_line_writes_the_same_in_every_shop() -> None:
    settings = german()

    assert notation_of(settings).write_money(123_450, "EUR") == "1.234,50 EUR"
    assert plain_notation(settings).write_money(123_450, "EUR") == "1,234.50 EUR"


def german() -> Settings:
    return replace(settings_for("postgresql+psycopg://nobody@/x"), locale="de_DE")
