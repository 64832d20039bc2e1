"""Cells of CSV: what a spreadsheet must not compute, and what stays a number."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import pytest

from webapp.csv_files.cells import amount_cell, cell_of, guard, writer_of

FORMULAS = (
    "=cmd|'/C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "\nx",
    " =1",
    "\u3000=1",
    '"=1',
    "'=1",
    "\u200b=1",
    "\uff1d1",
    "\uff20SUM(A1)",
)
HARMLESS = (
    "Alice",
    "a=b",
    "alice@example.com",
    "0621-08460",
    "Bob, -1",
    "日本語=1",
    "",
)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_text_that_could_be_a_formula_gets_an_apostrophe(text: str) -> None:
    assert guard(text) == f"'{text}"
    assert cell_of(text) == f"'{text}"
    assert writer_of(ZoneInfo("UTC"))(text) == f"'{text}"


@pytest.mark.parametrize("text", HARMLESS)
def test_any_other_text_stays_as_it_is(text: str) -> None:
    assert guard(text) == text


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("formula", ["=cmd|'/C calc'!A0", "+1", ' "=1'])
def test_no_formula_begins_in_the_middle_for_who_separates_otherwise(
    separator: str, formula: str
) -> None:
    """A German spreadsheet splits at semicolons, also within our quotes."""
    written = io.StringIO()
    csv.writer(written).writerow(["1", guard(f"Alice, Bob{separator}{formula}"), "x"])

    cells = written.getvalue().strip().split(separator)

    assert len(cells) == 2
    assert cells[1].startswith("'")


def test_no_formula_begins_in_the_middle_of_a_list() -> None:
    products = ("Clock;=cmd|'/C calc'!A0", "Lamp\t=1", "Alice; Bob")

    assert ";" not in cell_of(products)
    assert "\t" not in cell_of(products)
    assert msgspec.json.decode(cell_of(products)) == [*products]


def test_numbers_stay_numbers_below_zero_too() -> None:
    write = writer_of(ZoneInfo("UTC"))

    assert amount_cell(-123450, "EUR") == "-1234.50"
    assert write(-5) == cell_of(-5) == "-5"
    assert write(Decimal("-0.05")) == "-0.05"


@pytest.mark.parametrize(
    ("currency", "cell"), [("EUR", "1000000.05"), ("JPY", "100000005")]
)
def test_an_amount_is_a_decimal_of_its_currency(currency: str, cell: str) -> None:
    assert amount_cell(100_000_005, currency) == cell


def test_a_moment_is_by_the_clocks_of_the_shop() -> None:
    moment = datetime(2026, 7, 1, 22, 30, 1, 999, UTC)
    write = writer_of(ZoneInfo("Europe/Berlin"))

    assert write(moment) == "2026-07-02T00:30:01+02:00"
    assert write(date(2026, 7, 2)) == "2026-07-02"


def test_what_is_several_is_one_cell_and_no_formula() -> None:
    write = writer_of(ZoneInfo("UTC"))

    assert write(("Clock", "=1", "Lamp")) == "Clock; =1; Lamp".replace("; =", ";' =")
    assert write(()) == write(None) == ""
    assert (write(True), write(False)) == ("true", "false")
