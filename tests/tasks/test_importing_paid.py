"""What an imported history says of payments, which its files do not know."""

from pathlib import Path

import pytest
from sqlalchemy import text

from domain.orders.commands import ReceivePayment
from tasks.shop.wiring import Shop
from tests.support.histories import History, line, order, read_log, run_import
from tests.support.money import Bank

PAID = "--paid-when-shipped"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A history of an order that was shipped, one that was not, one that was free."""
    orders = [
        order(1, "1996-07-04", shipped_date="1996-07-09"),
        order(2, "1996-07-04"),
        order(3, "1996-07-04", shipped_date="1996-07-05"),
    ]
    lines = [line(1), line(2), line(3, unit_price="0")]
    return History(orders, lines=lines).write(tmp_path / "old")


def listed(shop: Shop) -> list[tuple[int, str, bool]]:
    """Return each order's number and status, and whether something of it is due."""
    with shop.engine.connect() as connection:
        query = "SELECT order_id, status, due > 0 FROM readmodels.order_list ORDER BY 1"
        return [(row[0], row[1], row[2]) for row in connection.execute(text(query))]


def payments(shop: Shop) -> list[tuple[str, int, str]]:
    log = read_log(shop.engine)
    return [
        (event.stream_id, event.version, event.occurred_at)
        for event in log
        if event.type == "PaymentReceived"
    ]


def test_all_is_due_unless_somebody_says_otherwise(shop: Shop, folder: Path) -> None:
    result = run_import(folder)

    assert payments(shop) == []
    assert listed(shop) == [
        (1, "shipped", True),
        (2, "pending", True),
        (3, "shipped", False),
    ]
    assert PAID in result.output


def test_what_was_shipped_is_paid_that_day_and_nothing_else(
    shop: Shop, folder: Path
) -> None:
    result = run_import(folder, PAID)

    assert "1 payment" in result.output
    assert payments(shop) == [("order-1", 3, "1996-07-09 00:00")]
    assert listed(shop) == [
        (1, "shipped", False),
        (2, "pending", True),
        (3, "shipped", False),
    ]


def test_a_second_run_adds_the_payments(shop: Shop, folder: Path) -> None:
    run_import(folder)
    result = run_import(folder, PAID)

    assert "1 payment: 1 event" in result.output
    assert payments(shop) == [("order-1", 3, "1996-07-09 00:00")]


def test_an_order_that_the_shop_went_on_with_is_left_to_it(
    shop: Shop, tmp_path: Path
) -> None:
    shipped = [order(n, "1996-07-04", shipped_date="1996-07-09") for n in (1, 2)]
    folder = History(shipped, lines=[line(1), line(2)]).write(tmp_path / "two")
    run_import(folder)
    Bank(shop).do(ReceivePayment(order_id=1, amount=100))
    result, again = run_import(folder, PAID), run_import(folder, PAID)

    assert "1 payment: 1 event" in result.output
    assert "1 order was changed here, and stays as now: 1" in result.output
    assert "nothing to do" in again.output
    # That of the first is the one of 1.00 that was noted here.
    assert [name for name, *_ in payments(shop)] == ["order-1", "order-2"]
    assert [is_due for _, _, is_due in listed(shop)] == [True, False]


def test_a_run_without_them_takes_none_back(shop: Shop, folder: Path) -> None:
    run_import(folder, PAID)
    result = run_import(folder)

    assert "nothing to do" in result.output
    assert payments(shop) == [("order-1", 3, "1996-07-09 00:00")]
