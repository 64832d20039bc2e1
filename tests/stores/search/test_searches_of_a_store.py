"""Searches find the same in the search store as in PostgreSQL, in the same order."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from cli.importing import import_history
from eventstore.errors import BadCursor
from eventstore.projections.views import Page
from eventstore.stores.writer import Writer
from readmodels import customers, order_list
from readmodels.stores.search.queries import FoundPage, Searches
from readmodels.stores.search.store import SearchStore
from tasks import catch_up
from tasks.shop import wiring
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.stores.search.conftest import delete_all
from tests.stores.servers.server import Server
from tests.support import named_searches, northwind
from tests.support.demo_shop import fill_with_demo
from tests.support.fed_store import PATIENCE, settle, written

pytestmark = pytest.mark.stores

SORTS = ("-placed", "placed", "-total", "total", "order", "-order", "customer")
SORTS_OF_CUSTOMERS = ("name", "-name", "-worth", "orders", "customer")

Find = Any


@pytest.fixture
def writer(shop: Shop, search_server: Server) -> Iterator[Writer]:
    """A writer of the shop's search store."""
    with writer_of(shop, search_server) as writer:
        yield writer


@contextmanager
def writer_of(shop: Shop, server: Server) -> Iterator[Writer]:
    store = SearchStore(server.url, shop.identity)
    with written(shop, store) as writer:
        yield writer
    delete_all(store)
    store.close()


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


class BothStores:
    """The same questions to PostgreSQL and to the search store."""

    def __init__(self, shop: Shop, writer: Writer) -> None:
        assert isinstance(writer.store, SearchStore)
        self.shop = shop
        self.searches = Searches(writer.store, PATIENCE)

    def orders(self, text: str, **how: Any) -> Page[Any]:
        """Return a page of orders, which both give alike."""
        with self.shop.engine.connect() as connection:
            expected = order_list.find(connection, search=text, **how)
        found = self.searches.find_orders(text, **how)
        return self.same(found, expected, (text, how))

    def customers(self, text: str, **how: Any) -> Page[Any]:
        """Return a page of customers, which both give alike."""
        with self.shop.engine.connect() as connection:
            expected = customers.find(connection, search=text, **how)
        found = self.searches.find_customers(text, **how)
        return self.same(found, expected, (text, how))

    def same(self, found: Any, expected: Page[Any], asked: Any) -> Page[Any]:
        assert isinstance(found, FoundPage)
        assert (asked, list(found.page.rows)) == (asked, list(expected.rows))
        assert (asked, found.page) == (asked, replace_rows(expected, found.page.rows))
        return found.page


def replace_rows(page: Page[Any], rows: Sequence[Any]) -> Page[Any]:
    return replace(page, rows=rows)


def test_the_demo_is_found_as_in_postgresql(
    shop: Shop, client: FlaskClient, writer: Writer
) -> None:
    fill_with_demo(shop, client)
    settle(writer)
    both = BothStores(shop, writer)

    def find(text: str) -> list[int]:
        return [row.order_id for row in both.orders(text).rows]

    named_searches.check(named_searches.DEMO_ORDERS, find)
    compare_searches(both, random.Random(16), count=25)


def test_northwind_is_found_as_in_postgresql(
    old_shop: Shop, search_server: Server
) -> None:
    with writer_of(old_shop, search_server) as writer:
        settle(writer)
        both = BothStores(old_shop, writer)
        named_searches.check(
            named_searches.NORTHWIND_ORDERS,
            lambda text: [row.order_id for row in both.orders(text).rows],
        )
        named_searches.check(
            named_searches.NORTHWIND_CUSTOMERS,
            lambda text: [row.customer_id for row in both.customers(text).rows],
        )
        compare_searches(both, random.Random(7), count=40)


def compare_searches(both: BothStores, chance: random.Random, *, count: int) -> None:
    """Ask both for parts of words that are there, with slips, and page by page."""
    with both.shop.engine.connect() as connection:
        rows = order_list.view.find(connection)
    for _ in range(count):
        row = chance.choice(rows)
        texts = [row.customer_name, row.city or "x", *row.products, str(row.order_id)]
        text = " ".join(
            cut(chance, word)
            for one in chance.sample(texts, chance.randint(1, 2))
            for word in chance.sample(one.split(), 1)
        )
        how: dict[str, Any] = {"limit": chance.choice([1, 3, 10])}
        in_orders = how | {"sort": chance.choice(SORTS)}
        if chance.random() < 0.2:
            in_orders["status"] = row.status
        if chance.random() < 0.2:
            in_orders["customer_id"] = row.customer_id
        if chance.random() < 0.2:
            in_orders["is_due"] = chance.choice([True, False])
        if chance.random() < 0.2:
            in_orders["has_credit"] = chance.choice([True, False])
        if chance.random() < 0.2:
            in_orders["is_ready"] = chance.choice([True, False])
        if chance.random() < 0.2:
            in_orders["late_on"] = chance.choice([date(1998, 1, 1), date(2100, 1, 1)])
        walk(both.orders, text, in_orders, pages=4)
        sort = chance.choice(SORTS_OF_CUSTOMERS)
        walk(both.customers, text, how | {"sort": sort}, pages=4)


def cut(chance: random.Random, word: str) -> str:
    """Return a part of a word, or one with a slip, or the word."""
    start = chance.choice([0, 0, 0, 1, 3])
    part = word[start : start + chance.choice([2, 4, 6, 30])] or word
    if chance.random() < 0.3:
        at = chance.randrange(len(part))
        part = part[:at] + chance.choice("aeiouxyz") + part[at + 1 :]
    return part


def walk(find: Find, text: str, how: dict[str, Any], *, pages: int) -> None:
    after = None
    for _ in range(pages):
        after = find(text, after=after, **how).following
        if after is None:
            return


def test_a_cursor_of_something_else_is_refused(shop: Shop, writer: Writer) -> None:
    catch_up.run(shop)
    settle(writer)
    both = BothStores(shop, writer)

    for cursor in ("x", "", "WyJvcmRlcl9saXN0IC10b3RhbCIsMSwxXQ"):
        with pytest.raises(BadCursor):
            both.searches.find_orders("x", after=cursor)
    assert both.orders("").rows == []
    assert both.orders("§$%").rows == []
    assert both.orders("x" * 300 + " " + "y" * 900).rows == []
