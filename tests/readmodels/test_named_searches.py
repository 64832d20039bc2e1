"""A hundred searches find what people look for, on PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from cli.importing import import_history
from readmodels import customers, order_list
from tasks.shop import wiring
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.support import named_searches, northwind
from tests.support.demo_shop import fill_with_demo


def orders_of(shop: Shop, text: str) -> list[int]:
    with shop.engine.connect() as connection:
        rows = order_list.find(connection, search=text).rows
    return [row.order_id for row in rows]


def customers_of(shop: Shop, text: str) -> list[str]:
    with shop.engine.connect() as connection:
        rows = customers.find(connection, search=text).rows
    return [row.customer_id for row in rows]


def test_there_are_a_hundred_of_them() -> None:
    assert named_searches.COUNT == 100


def test_orders_of_the_demo_are_found(shop: Shop, client: FlaskClient) -> None:
    fill_with_demo(shop, client)

    named_searches.check(named_searches.DEMO_ORDERS, lambda text: orders_of(shop, text))


@pytest.fixture
def old_shop(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The order desk with Northwind's history in it."""
    if not northwind.is_there():
        pytest.skip("needs Northwind's CSV files: set NORTHWIND_DIR to their folder")
    monkeypatch.setattr("tasks.broker.publish.send", lambda *_: None)
    shop = Shop(replace(settings, currency="USD"))
    wiring.use(shop)
    arguments = [str(northwind.folder()), "--currency", "USD"]
    result = CliRunner().invoke(import_history, arguments)
    assert result.exit_code == 0, result.output
    yield shop
    shop.engine.dispose()


def test_orders_and_customers_of_northwind_are_found(old_shop: Shop) -> None:
    def find_orders(text: str) -> Any:
        return orders_of(old_shop, text)

    def find_customers(text: str) -> Any:
        return customers_of(old_shop, text)

    named_searches.check(named_searches.NORTHWIND_ORDERS, find_orders)
    named_searches.check(named_searches.NORTHWIND_CUSTOMERS, find_customers)


def test_a_search_that_finds_something_else_is_noticed() -> None:
    with pytest.raises(AssertionError):
        named_searches.check([("10248", [10248])], lambda _: [1, 2, 3, 10248])
