"""What is wrong with files is told by file, line and reason, and nothing is written."""

import os
from pathlib import Path
from typing import Any

import pytest

from tasks.shop.wiring import Shop
from tests.support.histories import (
    History,
    customer,
    last_number,
    line,
    order,
    product,
    read_log,
    run_import,
)

GOOD = order(1)

BAD_HISTORIES: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown customer": (
        {"orders": [GOOD, order(2, customer_id="NOBODY")]},
        "orders.csv, line 3: customer_id 'NOBODY' is not in customers.csv",
    ),
    "an order without lines": (
        {"orders": [GOOD, order(2)], "lines": [line(1)]},
        "orders.csv, line 3: order 2 has no lines",
    ),
    "too many lines": (
        {"orders": [GOOD, order(2)], "lines": [line(1)] + [line(2)] * 501},
        "orders.csv, line 3: order 2 has 501 lines, at most 500",
    ),
    "no date": (
        {"orders": [GOOD, order(2, "04/07/1996")]},
        "orders.csv, line 3: order_date '04/07/1996' is no date like 1996-07-04",
    ),
    "a day that never was": (
        {"orders": [GOOD, order(2, shipped_date="1997-02-29")]},
        "orders.csv, line 3: shipped_date '1997-02-29' is no date",
    ),
    "a day outside of what can be stored": (
        {"orders": [GOOD, order(2, "0001-01-01")]},
        "orders.csv, line 3: order_date '0001-01-01' must be from",
    ),
    "no number": (
        {"orders": [GOOD, order("2x")], "lines": [line(1)]},
        "orders.csv, line 3: order_id '2x' must be a whole number",
    ),
    "a number that would use up all numbers": (
        {"orders": [GOOD, order(2**53)]},
        "orders.csv, line 3: order_id '9007199254740992' must be from 1 to",
    ),
    "more digits than the currency has": (
        {"orders": [GOOD, order(2, freight="1.005")]},
        "orders.csv, line 3: freight '1.005' must be an amount in EUR",
    ),
    "a character that turns the direction of writing": (
        {"orders": [GOOD, order(2, ship_name="A\u202eB")]},
        r"orders.csv, line 3: ship_name 'A\u202eB' must not contain U+202E RIGHT-TO-",
    ),
    "half an address": (
        {"orders": [GOOD], "customers": [customer(), customer("BOB", city="")]},
        "customers.csv, line 3: city is missing",
    ),
    "an order twice": (
        {"orders": [GOOD, order("01", "1996-07-05")]},
        "orders.csv, line 3: order_id '1' stands in line 2 already",
    ),
    "a customer twice": (
        {"orders": [GOOD], "customers": [customer(), customer()]},
        "customers.csv, line 3: customer_id 'ALICE' stands in line 2 already",
    ),
    "a product twice": (
        {"orders": [GOOD], "products": [product(), product()]},
        "products.csv, line 3: product_id '11' stands in line 2 already",
    ),
    "a line of no order": (
        {"orders": [GOOD], "lines": [line(1), line(99)]},
        "order_details.csv, line 3: order_id '99' is not in orders.csv",
    ),
    "an unknown product": (
        {"orders": [GOOD, order(2)], "lines": [line(1), line(2, product_id="77")]},
        "order_details.csv, line 3: product_id '77' is not in products.csv"
        " (leaves out an order)",
    ),
    "a negative quantity": (
        {"orders": [GOOD, order(2)], "lines": [line(1), line(2, quantity="-3")]},
        "order_details.csv, line 3: quantity '-3' must be from 1 to 100,000"
        " (leaves out an order)",
    ),
    "a negative price": (
        {"orders": [GOOD, order(2)], "lines": [line(1), line(2, unit_price="-1")]},
        "order_details.csv, line 3: unit_price '-1' must be an amount in EUR",
    ),
    "a discount above one": (
        {"orders": [GOOD, order(2)], "lines": [line(1), line(2, discount="1.5")]},
        "order_details.csv, line 3: discount '1.5' must be",
    ),
    "a NUL": (
        {"orders": [GOOD, order(2, ship_name="A\0B")]},
        r"orders.csv, line 3: ship_name 'A\x00B' must not contain a NUL",
    ),
    "what would command a terminal": (
        {"orders": [GOOD, order(2, "\x1b[2J")]},
        r"orders.csv, line 3: order_date '\x1b[2J' is no date",
    ),
    "a long value": (
        {"orders": [GOOD, order(2, ship_city="x" * 10_000)]},
        f"orders.csv, line 3: ship_city '{'x' * 40}'… must have at most 60 characters",
    ),
}


@pytest.mark.parametrize("case", BAD_HISTORIES)
def test_a_bad_row_is_listed_and_nothing_is_imported(
    shop: Shop, tmp_path: Path, case: str
) -> None:
    rows, expected = BAD_HISTORIES[case]
    folder = History(**rows).write(tmp_path / "old")

    result = run_import(folder)

    told = result.stderr.splitlines()
    assert result.exit_code == 1
    assert [text for text in told if text.startswith(expected)], told
    assert told[-1] == "Nothing was imported."
    assert "\x1b" not in result.output
    assert read_log(shop.engine) == []
    assert last_number(shop.engine) == 0


@pytest.mark.parametrize("case", BAD_HISTORIES)
def test_the_rest_is_imported_where_bad_rows_are_skipped(
    shop: Shop, tmp_path: Path, case: str
) -> None:
    rows, _ = BAD_HISTORIES[case]
    folder = History(**rows).write(tmp_path / "old")

    result = run_import(folder, "--skip-bad")

    streams = [event.stream_id for event in read_log(shop.engine)]
    assert result.exit_code == 0, result.output
    assert streams == ["customer-ALICE", "product-11", "order-1"]
    assert "skipped    1 bad row;" in result.stdout


def test_a_bad_customer_is_said_once_with_the_orders_it_takes_along(
    shop: Shop, tmp_path: Path
) -> None:
    history = History(
        [order(1), *(order(number, customer_id="BOB") for number in (2, 3, 4))],
        customers=[customer(), customer("BOB", company_name=" ")],
    )

    result = run_import(history.write(tmp_path / "old"), "--skip-bad")

    told = "customers.csv, line 3: company_name is missing (leaves out 3 orders)\n"
    assert result.stderr == told
    assert "skipped    1 bad row; 3 orders are left out" in result.stdout
    assert [event.stream_id for event in read_log(shop.engine)] == [
        "customer-ALICE",
        "product-11",
        "order-1",
    ]


SIXTY_BAD = [order(1), *(order(number, "never") for number in range(2, 62))]


def listed(told: str) -> int:
    return sum(", line " in text for text in told.splitlines())


def test_at_most_fifty_bad_rows_are_listed_and_how_to_see_all(
    shop: Shop, tmp_path: Path
) -> None:
    result = run_import(History(SIXTY_BAD).write(tmp_path / "old"))

    assert listed(result.stderr) == 50
    assert "… and 10 more: --skip-bad --dry-run lists all" in result.stderr


@pytest.mark.parametrize("rehearsed", [["--dry-run"], []])
def test_who_skips_bad_rows_is_told_all_of_them(
    shop: Shop, tmp_path: Path, rehearsed: list[str]
) -> None:
    folder = History(SIXTY_BAD).write(tmp_path / "old")

    result = run_import(folder, "--skip-bad", *rehearsed)

    assert result.exit_code == 0
    assert listed(result.stderr) == 60
    assert "more" not in result.stderr
    assert len(read_log(shop.engine)) == (0 if rehearsed else 3)


def test_a_row_of_another_length_is_bad(shop: Shop, tmp_path: Path) -> None:
    folder = History([order(1)]).write(tmp_path / "old")
    with (folder / "orders.csv").open("a") as file:
        file.write("\n2,ALICE\n")

    result = run_import(folder)

    assert "orders.csv, line 4: row has 2 values, its header 12" in result.stderr


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "orders.csv is missing"),
        (b"", "orders.csv is empty"),
        (b"order_id,customer_id\r\n1,ALICE\r\n", "orders.csv has no column order_date"),
        (b"order_id,\xe9\r\n", "orders.csv is not UTF-8 (after line 1)"),
        (b'order_id,"customer_id\n1,ALICE\n', "orders.csv cannot be read from line 1"),
        (b'"' + b"x" * 200_000, "orders.csv cannot be read from line 1"),
        (b"x" * 2_000_000, "orders.csv cannot be read from line 1"),
        (b"a," * 600, "orders.csv has more than 500 columns"),
    ],
)
def test_a_file_that_is_none_is_refused_whole(
    shop: Shop, tmp_path: Path, content: bytes | None, expected: str
) -> None:
    folder = History([order(1)]).write(tmp_path / "old")
    (folder / "orders.csv").unlink()
    if content is not None:
        (folder / "orders.csv").write_bytes(content)

    result = run_import(folder, "--skip-bad")

    assert result.exit_code == 1
    assert result.stderr.startswith(f"recount: {expected}")
    assert read_log(shop.engine) == []


def test_a_file_with_nothing_but_its_header_is_refused(
    shop: Shop, tmp_path: Path
) -> None:
    folder = History([order(1)]).write(tmp_path / "old")
    header = (folder / "orders.csv").read_text().partition("\n")[0]
    (folder / "orders.csv").write_text(header + "\n")

    result = run_import(folder, "--skip-bad")

    assert result.stderr.startswith("recount: orders.csv has no rows")


def test_a_column_that_comes_twice_is_refused(shop: Shop, tmp_path: Path) -> None:
    folder = History([order(1)]).write(tmp_path / "old")
    text = (folder / "products.csv").read_text()
    (folder / "products.csv").write_text(text.replace("unit_price", "product_id"))

    result = run_import(folder)

    assert "products.csv has the column 'product_id' twice" in result.stderr


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_not_waited_for(
    shop: Shop, tmp_path: Path, make: Any
) -> None:
    folder = History([order(1)]).write(tmp_path / "old")
    (folder / "orders.csv").unlink()
    make(folder / "orders.csv")

    result = run_import(folder)

    assert result.stderr.startswith("recount: orders.csv is no file")


def test_a_byte_order_mark_and_a_link_are_fine(shop: Shop, tmp_path: Path) -> None:
    folder = History([order(1)]).write(tmp_path / "old")
    kept = tmp_path / "kept.csv"
    kept.write_bytes(b"\xef\xbb\xbf" + (folder / "orders.csv").read_bytes())
    (folder / "orders.csv").unlink()
    (folder / "orders.csv").symlink_to(kept)

    result = run_import(folder)

    assert result.exit_code == 0, result.output


def test_trailing_zeros_and_midnights_are_fine(shop: Shop, tmp_path: Path) -> None:
    history = History(
        [order(1, "1996-07-04 00:00:00.000", freight="32.3800")],
        lines=[line(1, unit_price="14.0000", discount="0.150000")],
    )

    run_import(history.write(tmp_path / "old"))

    data = read_log(shop.engine)[-1].data
    assert data["carriage"] == 3238
    assert data["items"][0]["unit_price"] == 1400
    assert data["items"][0]["discount"] == "0.15"


def test_where_no_order_is_left_nothing_is_imported(shop: Shop, tmp_path: Path) -> None:
    folder = History([order(1, "never")]).write(tmp_path / "old")

    result = run_import(folder, "--skip-bad")

    assert result.exit_code == 1
    assert "there is no order to import" in result.stderr
    assert read_log(shop.engine) == []
