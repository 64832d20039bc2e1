"""What was sold: how an order counts, and sums over many of them, four ways."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from cli.importing import import_history
from domain.orders.commands import ChangedItem, ChangeItems
from domain.orders.events import OrderCreated
from domain.orders.lines import Line
from eventstore.errors import BadCursor
from eventstore.projections.projection import Fact
from readmodels import sales, sold_lines
from readmodels.sales_sums import WAYS, Period, SalesLine, SalesPage, Sums, find
from tasks import catch_up
from tasks.shop import wiring
from tasks.shop.wiring import Shop
from tests.support import northwind
from tests.support.desk import (
    Do,
    alice,
    bob,
    cancel,
    forget,
    pay,
    place,
    return_all,
    return_one_clock,
    ship,
    three_clocks,
    to_paris,
)
from tests.support.order_events import CLOCKS, LAMPS, placed
from tests.support.shop_histories import ShopHistory
from tests.support.sold import Ledger, fill_sales

BERLIN = ZoneInfo("Europe/Berlin")
EVER = Period(first=date(1990, 1, 1), last=date(2100, 12, 31), zone=BERLIN)


def sold(shop: Shop, by: str, period: Period = EVER, **asked: Any) -> SalesPage:
    with shop.engine.connect() as connection:
        return find(connection, by, period, **asked)


def total(shop: Shop) -> Sums:
    return sold(shop, "country").total


def lines(shop: Shop, by: str) -> dict[Any, tuple[int, int, int]]:
    return {
        line.key or line.name: (line.orders, line.pieces, line.amount)
        for line in sold(shop, by).lines
    }


def test_what_was_ordered_is_added_up_in_four_ways(shop: Shop, do: Do) -> None:
    do(alice, bob, place, replace(place, customer_id="BOB"), to_paris)

    assert total(shop) == Sums(orders=2, pieces=6, amount=21_798)
    assert lines(shop, "customer") == {"ALICE": (1, 3, 10_899), "BOB": (1, 3, 10_899)}
    assert lines(shop, "country") == {"France": (1, 3, 10_899), "UK": (1, 3, 10_899)}
    assert lines(shop, "product") == {
        "RETRO-CLOCK": (2, 4, 19_800),
        "LAMP": (2, 2, 1_998),
    }
    [month] = [line for line in sold(shop, "month").lines if line.orders]
    assert (month.orders, month.pieces, month.amount) == (2, 6, 21_798)


def test_what_was_cancelled_or_came_back_is_not_sold(shop: Shop, do: Do) -> None:
    do(alice, place, place, replace(place, freight=650), replace(cancel, order_id=2))
    assert total(shop) == Sums(orders=2, pieces=6, amount=21_798)

    do(pay, ship, return_one_clock)
    assert total(shop) == Sums(orders=2, pieces=5, amount=16_848)
    assert lines(shop, "product")["RETRO-CLOCK"] == (2, 3, 14_850)

    do(return_all)
    assert total(shop) == Sums(orders=1, pieces=3, amount=10_899)
    assert lines(shop, "product") == {
        "RETRO-CLOCK": (1, 2, 9_900),
        "LAMP": (1, 1, 999),
    }


def test_an_order_counts_with_the_lines_that_it_has_now(shop: Shop, do: Do) -> None:
    do(alice, place, three_clocks)
    assert total(shop) == Sums(orders=1, pieces=4, amount=15_849)

    do(ChangeItems(order_id=1, items=(ChangedItem(line=2, quantity=1),), freight=0))
    assert lines(shop, "product") == {"LAMP": (1, 1, 999)}


def test_of_who_is_forgotten_no_country_is_left(shop: Shop, do: Do) -> None:
    do(alice, bob, place, replace(place, customer_id="BOB"), cancel)
    do(replace(place, customer_id="ALICE"), forget)

    assert lines(shop, "country") == {"UK": (1, 3, 10_899), None: (1, 3, 10_899)}
    assert lines(shop, "customer")["ALICE"] == (1, 3, 10_899)


Told = tuple[int, datetime, OrderCreated]


def sale(number: int, at: str = "2026-03-01 12:00", **other: Any) -> Told:
    """Return an order that was placed at this time in UTC."""
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    return number, moment, replace(placed, **other)


def test_an_order_is_of_the_day_when_it_was_placed_by_the_shop_s_clocks(
    shop: Shop,
) -> None:
    fill_sales(shop, sale(1, "2026-01-31 22:59"), sale(2, "2026-01-31 23:01"))

    assert [line.key for line in sold(shop, "month").lines][:2] == [
        date(2026, 1, 1),
        date(2026, 2, 1),
    ]
    january = Period(first=date(2026, 1, 1), last=date(2026, 1, 31), zone=BERLIN)
    for by in WAYS:
        assert sold(shop, by, january).total.orders == 1
        assert sold(shop, by, replace(january, zone=ZoneInfo("UTC"))).total.orders == 2


def test_months_and_days_without_a_sale_are_there_from_the_first_order_on(
    shop: Shop,
) -> None:
    fill_sales(shop, sale(1, "2026-01-30 12:00"), sale(2, "2026-03-02 12:00"))
    spring = Period(first=date(2025, 11, 1), last=date(2026, 4, 1), zone=BERLIN)

    assert [(line.key, line.orders) for line in sold(shop, "month", spring).lines] == [
        (date(2026, month, 1), orders)
        for month, orders in ((1, 1), (2, 0), (3, 1), (4, 0))
    ]
    days = sold(shop, "day", spring).lines
    assert (len(days), sum(day.orders for day in days)) == (62, 2)
    assert (days[0].key, days[0].orders) == (date(2026, 1, 30), 1)


def test_of_a_shop_without_orders_nothing_was_sold(shop: Shop) -> None:
    for by in WAYS:
        assert sold(shop, by) == SalesPage(lines=[], total=Sums())


def test_a_product_of_the_list_is_one_whatever_it_was_called(shop: Shop) -> None:
    listed = replace(CLOCKS, product_id="RC-1")
    renamed = replace(listed, product="RETRO-CLOCK II")
    fill_sales(
        shop,
        sale(1, items=(listed,)),
        sale(2, items=(renamed,)),
        # One of its own, of the same name, and one with a name like a number.
        sale(3, items=(CLOCKS,)),
        sale(4, items=(replace(CLOCKS, product="RC-1"),)),
    )

    found = {(one.key, one.name): one.orders for one in sold(shop, "product").lines}
    assert found == {
        ("RC-1", "RETRO-CLOCK II"): 2,
        (None, "RETRO-CLOCK"): 1,
        (None, "RC-1"): 1,
    }


def test_an_order_with_two_lines_of_a_product_is_one_order_of_it(shop: Shop) -> None:
    more = replace(CLOCKS, number=3, quantity=1)
    fill_sales(shop, sale(1, items=(CLOCKS, LAMPS, more)))

    assert lines(shop, "product")["RETRO-CLOCK"] == (1, 3, 14_850)


def test_all_lines_are_on_some_page_and_each_once(shop: Shop) -> None:
    fill_sales(
        shop,
        *(
            sale(n, customer_id=f"C{n}", items=(replace(CLOCKS, quantity=1 + n % 3),))
            for n in range(1, 20)
        ),
    )
    whole = sold(shop, "customer")
    assert [line.amount for line in whole.lines] == sorted(
        (line.amount for line in whole.lines), reverse=True
    )

    found: list[SalesLine] = []
    after = None
    while page := sold(shop, "customer", after=after, limit=4):
        assert page.total == whole.total
        found += page.lines
        after = page.following
        if after is None:
            break

    assert found == whole.lines
    cursor = sold(shop, "customer", limit=4).following
    with pytest.raises(BadCursor):
        sold(shop, "country", after=cursor)


@pytest.mark.parametrize("seed", range(3))
def test_of_any_history_the_sums_are_those_of_a_ledger(shop: Shop, seed: int) -> None:
    with shop.lent() as connection:
        ShopHistory.of(seed).append(connection, 400)
    catch_up.run(shop)
    ledger = Ledger.of(shop)
    days = sorted(order.placed.astimezone(BERLIN).date() for order in ledger.orders)
    periods = [EVER, replace(EVER, first=days[0], last=days[0])]

    for period in periods:
        for by in WAYS:
            page = sold(shop, by, period)
            assert page.total == ledger.total(period), (by, period)
            assert {
                (line.key, line.name if line.key is None and by == "product" else ""): (
                    line.orders,
                    line.pieces,
                    line.amount,
                )
                for line in page.lines
                if line.orders
            } == ledger.sums(by, period), (by, period)
    assert ledger.total(EVER).orders > 40
    assert 0 < ledger.total(periods[1]).orders < ledger.total(EVER).orders


@pytest.mark.parametrize("seed", range(3))
def test_the_lines_of_an_order_add_up_to_what_it_costs_without_freight(
    shop: Shop, seed: int
) -> None:
    with shop.lent() as connection:
        ShopHistory.of(seed).append(connection, 400)
    catch_up.run(shop)
    with shop.engine.connect() as connection:
        # What was told of an order when it was placed is by chance; what was decided
        # about it afterwards is not.
        rows = connection.execute(
            sa.text(
                """
                SELECT s.amount, d.total - d.freight AS worth
                FROM readmodels.sales AS s JOIN readmodels.order_details AS d
                USING (order_id)
                WHERE d.history::text ~ 'OrderItemsChanged|OrderReturned'
                """
            )
        ).all()
        of_lines = connection.execute(
            sa.text(
                """
                SELECT s.amount, l.amount, s.pieces, l.pieces
                FROM readmodels.sales AS s LEFT JOIN (
                    SELECT order_id, sum(amount) AS amount, sum(pieces) AS pieces
                    FROM readmodels.sold_lines GROUP BY order_id
                ) AS l USING (order_id)
                WHERE NOT is_cancelled AND s.pieces > 0
                """
            )
        ).all()

    assert len(rows) > 5
    assert all(amount == worth for amount, worth in rows)
    assert len(of_lines) > 40
    assert all(
        (amount, pieces) == (of_them, left)
        for amount, of_them, pieces, left in of_lines
    )


def test_a_discount_on_the_whole_order_is_taken_off_its_lines() -> None:
    third = Line(number=1, product="A", quantity=1, unit_price=101)
    items = (third, replace(third, number=2, product="B"))
    event = replace(placed, items=items, discount=Decimal("0.5"))
    fact = Fact(event, "order-1", 1, 1, datetime(2026, 3, 1, tzinfo=UTC), "{}")

    order = sold_lines.lines_of(None, fact)

    assert [line.amount for line in order.sold] == [51, 50]
    assert sales.fold(None, fact, {}).amount == 101


@pytest.fixture
def old_shop(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The order desk with Northwind's history in it."""
    monkeypatch.setattr("tasks.broker.publish.send", lambda *_: None)
    shop = Shop(replace(settings, currency="USD"))
    wiring.use(shop)
    arguments = [str(northwind.folder()), "--currency", "USD"]
    result = CliRunner().invoke(import_history, arguments)
    assert result.exit_code == 0, result.output
    yield shop
    shop.close()


def worth(rows: Sequence[dict[str, str]]) -> Decimal:
    """Return what lines of Northwind's file are worth, in cents."""
    return sum(
        (
            Decimal(row["unit_price"])
            * 100
            * int(row["quantity"])
            * (1 - Decimal(row["discount"]))
            for row in rows
        ),
        Decimal(0),
    )


@pytest.mark.skipif(
    not northwind.is_there(),
    reason="needs Northwind's CSV files: set NORTHWIND_DIR to their folder",
)
def test_of_a_real_shop_the_sums_are_those_of_its_files(old_shop: Shop) -> None:
    details = northwind.rows("order_details.csv")
    orders = {row["order_id"]: row for row in northwind.rows("orders.csv")}
    of_order: dict[str, list[dict[str, str]]] = {}
    for row in details:
        of_order.setdefault(row["order_id"], []).append(row)
    keys: dict[str, Callable[[dict[str, str]], date | str]] = {
        "month": lambda row: date.fromisoformat(
            orders[row["order_id"]]["order_date"][:10]
        ).replace(day=1),
        "country": lambda row: orders[row["order_id"]]["ship_country"],
        "customer": lambda row: orders[row["order_id"]]["customer_id"],
        "product": lambda row: row["product_id"],
    }

    assert total(old_shop).amount == northwind.NET_WORTH
    for by, key in keys.items():
        page = sold(old_shop, by)
        assert page.total == total(old_shop)
        expected: dict[Any, list[dict[str, str]]] = {}
        for row in details:
            expected.setdefault(key(row), []).append(row)
        lines = [line for line in page.lines if line.orders]
        assert {line.key for line in lines} == expected.keys()
        for line in lines:
            rows = expected[line.key]
            assert line.orders == len({row["order_id"] for row in rows}), line
            assert line.pieces == sum(int(row["quantity"]) for row in rows), line
            # Each order is rounded once, and each line is less than a cent off.
            most = line.orders if by != "product" else 2 * len(rows)
            assert abs(line.amount - worth(rows)) <= most, line
