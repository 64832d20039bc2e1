"""Asking a cache for an order, a customer, a command: as PostgreSQL would answer."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from eventstore.connection import driver_connection
from eventstore.errors.stores import StoreAway
from eventstore.rebuilding.rebuild import rebuild
from eventstore.stores import registry
from eventstore.stores.comparison import compare
from eventstore.stores.writer import Writer
from readmodels import customers, order_details
from readmodels.stores.hot.queries import HotRow, HotRows, Miss
from readmodels.stores.hot.store import HotStore
from tasks.shop.wiring import Shop
from tests.stores.servers.server import Server
from tests.support import desk
from tests.support.desk import Do
from tests.support.hot_rows import texts


@pytest.fixture
def rows(shop_store: HotStore) -> HotRows:
    return HotRows(shop_store)


@pytest.fixture
def connection(shop: Shop) -> Iterator[psycopg.Connection[Any]]:
    with shop.autocommitting.connect() as connection:
        yield driver_connection(connection)


@pytest.fixture
def writer(shop: Shop, shop_store: HotStore) -> Iterator[Writer]:
    with shop.autocommitting.connect() as connection:
        driver = driver_connection(connection)
        assert registry.take_turn(driver, shop_store.name)
        yield Writer(shop_store, driver)


def feed(writer: Writer) -> None:
    for _ in range(4):
        for feeder in writer.feeders:
            feeder.next_certificate = float("-inf")
        writer.turn()


def order_in(shop: Shop, order_id: int) -> Any:
    with shop.autocommitting.connect() as connection:
        return order_details.find(connection, order_id)


def customer_in(shop: Shop, customer_id: str) -> Any:
    with shop.autocommitting.connect() as connection:
        return customers.find_one(connection, customer_id)


def hit(found: HotRow[Any] | Miss) -> HotRow[Any]:
    assert isinstance(found, HotRow)
    return found


def miss(found: HotRow[Any] | Miss) -> Miss:
    assert isinstance(found, Miss)
    return found


def test_what_was_not_there_is_read_and_there_for_the_next(
    shop: Shop,
    do: Do,
    writer: Writer,
    rows: HotRows,
    connection: psycopg.Connection[Any],
) -> None:
    do(desk.alice, desk.place, desk.pay)
    feed(writer)

    order = miss(rows.find_order(1))
    customer = miss(rows.find_customer("ALICE"))
    assert rows.fill_order(connection, order, 1) == order_in(shop, 1)
    assert rows.fill_customer(connection, customer, "ALICE") == customer_in(
        shop, "ALICE"
    )

    found = hit(rows.find_order(1))
    assert found.row == order_in(shop, 1)
    assert hit(rows.find_customer("ALICE")).row == customer_in(shop, "ALICE")
    assert type(hit(rows.find_customer("ALICE")).row) is customers.CustomerView
    assert found.position >= 3
    assert found.parked == 0
    assert abs(time.time() - (found.certified_at or 0)) < 60


def test_what_was_changed_is_there_with_the_position_of_the_change(
    shop: Shop, do: Do, writer: Writer, rows: HotRows
) -> None:
    do(desk.alice)
    feed(writer)
    do(desk.place, desk.pay)
    feed(writer)
    first = hit(rows.find_order(1))
    do(desk.ship, desk.rename)
    feed(writer)
    second = hit(rows.find_order(1))

    assert (first.row.status, second.row.status) == ("paid", "shipped")
    assert second.row == order_in(shop, 1)
    assert second.row.customer_name == "Alice Retro"
    assert second.position > first.position


def test_what_does_not_exist_is_not_kept(
    do: Do,
    writer: Writer,
    rows: HotRows,
    shop_store: HotStore,
    connection: psycopg.Connection[Any],
) -> None:
    do(desk.alice)
    feed(writer)
    found = miss(rows.find_order(1))
    assert rows.fill_order(connection, found, 1) is None
    assert found.copy is not None
    assert shop_store.count(found.copy) == 0

    # It is there as soon as it is, and a reader who was slow hides nothing.
    do(desk.place)
    assert miss(rows.find_order(1)).copy == found.copy
    feed(writer)
    assert hit(rows.find_order(1)).row.order_id == 1


def test_nothing_is_kept_of_a_person_who_was_forgotten(
    shop: Shop,
    do: Do,
    writer: Writer,
    rows: HotRows,
    shop_store: HotStore,
    connection: psycopg.Connection[Any],
) -> None:
    do(desk.alice, desk.place)
    feed(writer)
    for _ in range(2):
        order, customer = rows.find_order(1), rows.find_customer("ALICE")
        if isinstance(order, Miss) and isinstance(customer, Miss):
            rows.fill_order(connection, order, 1)
            rows.fill_customer(connection, customer, "ALICE")
    assert texts(shop_store, "alice@example.com") == 2
    do(desk.forget)
    feed(writer)

    assert (
        texts(shop_store, "alice@example.com") == texts(shop_store, "12 Orchestra") == 0
    )
    assert hit(rows.find_customer("ALICE")).row == customer_in(shop, "ALICE")


def test_another_copy_that_answers_is_found_by_the_next_question(
    shop: Shop,
    do: Do,
    writer: Writer,
    rows: HotRows,
    connection: psycopg.Connection[Any],
) -> None:
    do(desk.alice)
    feed(writer)
    do(desk.place)
    feed(writer)
    assert hit(rows.find_order(1))
    old = miss(rows.find_order(2))
    with shop.lent() as rebuilder:
        masters = shop.settings.master_keys
        rebuild(rebuilder, order_details.projection, masters=masters)

    # The copy is of a generation that readers of PostgreSQL do not see any more.
    assert rows.fill_order(connection, old, 1) is None
    feed(writer)
    new = miss(rows.find_order(1))
    assert new.copy is not None
    assert new.copy.generation == 2
    assert rows.fill_order(connection, new, 1) == order_in(shop, 1)
    assert hit(rows.find_order(1)).row == order_in(shop, 1)
    found = compare(
        connection, rows.store, order_details.projection, new.copy, is_full=True
    )
    assert found == (1, [])


def test_a_copy_that_was_made_for_other_code_answers_nothing(
    do: Do, writer: Writer, rows: HotRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(desk.alice)
    feed(writer)
    do(desk.place)
    feed(writer)
    assert hit(rows.find_order(1))

    monkeypatch.setattr("readmodels.stores.hot.store.FORM", 2)
    assert rows.find_order(1) == Miss(None)


def test_what_somebody_else_has_written_there_is_no_row(
    do: Do, writer: Writer, rows: HotRows, shop_store: HotStore
) -> None:
    do(desk.alice)
    feed(writer)
    do(desk.place)
    feed(writer)
    copy = miss(rows.find_order(2)).copy
    assert copy is not None
    digits = b"0" * 40
    for text in (b"", b"x", digits, digits + b"{}", digits + b"\xff", b"-" * 50):
        shop_store.connection.client.set(shop_store.names.row(copy.name(), 1), text)
        assert isinstance(rows.find_order(1), Miss)
    shop_store.connection.client.hset(
        shop_store.names.meta("order_details"), "serving", "{}"
    )
    assert rows.find_order(1) == Miss(None)


def test_a_cache_that_stands_still_is_away_within_a_quarter_of_a_second(
    shop: Shop,
    do: Do,
    writer: Writer,
    rows: HotRows,
    connection: psycopg.Connection[Any],
    cache_server: Server,
) -> None:
    do(desk.alice, desk.place)
    feed(writer)
    found = miss(rows.find_order(1))
    cache_server.pause()
    try:
        start = time.monotonic()
        with pytest.raises(StoreAway):
            rows.find_order(1)
        assert time.monotonic() - start < 0.25
        # A reader who has asked PostgreSQL already gets the row.
        assert rows.fill_order(connection, found, 1) == order_in(shop, 1)
    finally:
        cache_server.resume()
