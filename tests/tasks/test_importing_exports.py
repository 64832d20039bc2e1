"""What spreadsheets and databases export is read as they mean it."""

import csv
from pathlib import Path

import pytest

from tasks.shop.wiring import Shop
from tests.support.histories import (
    History,
    customer,
    line,
    order,
    read_log,
    run_import,
)


def rewrite(folder: Path, delimiter: str, first: str = "", last: str = "") -> Path:
    """Write the files of *folder* as another program would have exported them."""
    for path in folder.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(first)
            csv.writer(file, delimiter=delimiter).writerows(rows)
            file.write(last)
    return folder


@pytest.mark.parametrize(
    "null", ["NULL", "null", r"\N", "(null)", "<null>", "[NULL]", " NULL "]
)
def test_what_a_database_writes_for_no_value_is_none(
    shop: Shop, tmp_path: Path, null: str
) -> None:
    history = History(
        [order(1, shipped_date=null, ship_name=null, ship_postal_code=null)],
        [customer(region=null, phone=null, contact_name=null)],
    )

    result = run_import(history.write(tmp_path / "old"))

    log = read_log(shop.engine)
    assert result.exit_code == 0, result.output
    assert [event.type for event in log] == [
        "CustomerRegistered",
        "ProductAdded",
        "OrderCreated",
    ]
    assert not [event for event in log if null.strip() in str(event.data)]


def test_a_required_value_that_is_null_is_missing(shop: Shop, tmp_path: Path) -> None:
    history = History([order(1, ship_city="NULL")])

    result = run_import(history.write(tmp_path / "old"))

    assert "orders.csv, line 2: ship_city is missing" in result.stderr
    assert read_log(shop.engine) == []


def test_somebody_may_be_called_null(shop: Shop, tmp_path: Path) -> None:
    history = History([order(1)], [customer(contact_name="Null")])

    run_import(history.write(tmp_path / "old"))

    assert "Null" in str(read_log(shop.engine)[0].data)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_values_may_be_separated_otherwise(
    shop: Shop, tmp_path: Path, delimiter: str
) -> None:
    history = History(
        [order(1, freight="32,38")], lines=[line(1, unit_price="49,5", discount="0,1")]
    )

    result = run_import(rewrite(history.write(tmp_path / "old"), delimiter))

    created = read_log(shop.engine)[-1].data
    assert result.exit_code == 0, result.output
    assert (created["carriage"], created["total"]) == (3238, 8910)


def test_a_spreadsheet_may_name_its_delimiter(shop: Shop, tmp_path: Path) -> None:
    folder = History([order(1)]).write(tmp_path / "old")

    result = run_import(rewrite(folder, ";", first="sep=;\r\n"))

    assert result.exit_code == 0, result.output


def test_what_may_be_a_thousand_or_a_thousandth_is_refused(
    shop: Shop, tmp_path: Path
) -> None:
    folder = History([order(1, freight="1,250")]).write(tmp_path / "old")

    result = run_import(rewrite(folder, ";"))

    assert "freight '1,250' may be thousands or thousandths" in result.stderr
    assert read_log(shop.engine) == []


@pytest.mark.parametrize("blank", [",,,,,,,,\r\n", "\r\n", " , ,\r\n,,,,\r\n"])
def test_rows_without_a_value_are_no_rows(
    shop: Shop, tmp_path: Path, blank: str
) -> None:
    folder = History([order(1)]).write(tmp_path / "old")

    result = run_import(rewrite(folder, ",", last=blank))

    assert result.exit_code == 0, result.output


def test_empty_columns_at_the_end_are_no_columns(shop: Shop, tmp_path: Path) -> None:
    folder = History([order(1)]).write(tmp_path / "old")
    for path in folder.glob("*.csv"):
        rows = path.read_text().splitlines()
        path.write_text("".join(f"{row},,\n" for row in rows))

    result = run_import(folder)

    assert result.exit_code == 0, result.output
