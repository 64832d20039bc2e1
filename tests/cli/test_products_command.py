"""`recount products adopt`: a shop from before there was a price list gets one."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from cli.products import products
from domain.customers.commands import ForgetCustomer
from domain.orders.commands import Item, PlaceOrder
from domain.products.commands import AddProduct, DiscontinueProduct
from eventstore.log import bulk_append
from tasks.accept import accept
from tasks.shop.history_import import appending
from tasks.shop.wiring import Shop
from tests.support.desk import LONDON, Do, alice
from tests.support.histories import last_number, read_log
from tests.support.shop_of_before import PLACED, append_old, append_old_order

CHAI = {"product": "Chai", "product_id": "17", "unit_price": 1_800}
CLOCK = {"product": "RETRO-CLOCK", "product_id": "RC-1", "unit_price": 4_950}
FREE = {"product": "ENGRAVING", "unit_price": 1_200}


@pytest.fixture
def before(shop: Shop, do: Do) -> Shop:
    """An upgraded shop with three orders; the last in time was appended first."""
    do(alice)
    with shop.engine.begin() as connection:
        connection.execute(sa.text("SELECT setval('order_numbers', 10)"))
    dearer = {**CHAI, "product": "Chai, 20 bags", "unit_price": 2_100}
    later = PLACED + timedelta(days=30)
    append_old_order(shop, 3, dearer, FREE, placed=later)
    append_old_order(shop, 1, CHAI, CLOCK, schema="1.0")
    append_old_order(shop, 2, {**CHAI, "unit_price": 1_900})
    paid = {"amount": 1_900}
    append_old(shop, "order-2", 1, "PaymentReceived", paid, at=later)
    return shop


def adopt(*options: str) -> Result:
    return CliRunner().invoke(products, ["adopt", *options], catch_exceptions=False)


def added(shop: Shop) -> dict[str, tuple[str, int]]:
    """Return name and price of each product that was added, by its stream."""
    return {
        event.stream_id: (event.data["name"], event.data["unit_price"])
        for event in read_log(shop.engine)
        if event.type == "ProductAdded"
    }


def test_what_past_orders_name_comes_on_the_list_as_it_was_ordered_last(
    before: Shop,
) -> None:
    result = adopt()

    assert result.exit_code == 0, result.output
    assert added(before) == {
        "product-17": ("Chai, 20 bags", 2_100),
        "product-RC-1": ("RETRO-CLOCK", 4_950),
    }
    assert result.stdout.splitlines()[:3] == [
        "found      2 articles in past orders; 0 on the price list already",
        "  17    Chai, 20 bags, 21.00 EUR, ordered last 14 Feb 2026",
        "  RC-1  RETRO-CLOCK, 49.50 EUR, ordered last 15 Jan 2026",
    ]
    assert "imported   2 products: 2 events in" in result.stdout


def test_the_next_order_names_a_product_of_before_by_its_number(
    before: Shop, do: Do
) -> None:
    adopt()

    items = (Item(product_id="17", quantity=2),)
    do(PlaceOrder(customer_id="ALICE", items=items, address=LONDON, currency="EUR"))

    placed = read_log(before.engine)[-1]
    assert placed.data["items"][0]["product"] == "Chai, 20 bags"
    assert placed.data["total"] == 4_200


def test_an_adopted_product_tells_where_it_comes_from(before: Shop) -> None:
    adopt()

    metadata = read_log(before.engine)[-1].metadata
    assert (metadata["source"], metadata["actor"]) == ("past orders", "local")


def test_a_rehearsal_lists_it_and_writes_nothing(before: Shop) -> None:
    log = read_log(before.engine)

    result = adopt("--dry-run")

    assert result.exit_code == 0
    assert "  17    Chai, 20 bags, 21.00 EUR" in result.stdout
    assert "to import  2 products: 2 events; nothing was written" in result.stdout
    assert read_log(before.engine) == log
    assert last_number(before.engine, "product_numbers") == 0


def test_a_second_run_adds_what_was_ordered_since(before: Shop) -> None:
    adopt()
    nothing = adopt()
    new = {"product": "LAMP", "product_id": "18", "unit_price": 999}
    append_old_order(before, 4, new)

    second = adopt()

    assert "nothing to do" in nothing.stdout
    assert "imported   1 product: 1 event in" in second.stdout
    assert set(added(before)) == {"product-17", "product-RC-1", "product-18"}


def test_what_is_on_the_list_or_was_taken_off_it_is_left_alone(
    before: Shop, do: Do
) -> None:
    do(
        AddProduct(product_id="RC-1", name="Clock", unit_price=5_500, currency="EUR"),
        DiscontinueProduct(product_id="RC-1"),
    )

    result = adopt()

    assert added(before)["product-RC-1"] == ("Clock", 5_500)
    assert "1 on the price list already" in result.stdout
    assert "otherwise  RC-1 is Clock; in orders RETRO-CLOCK" in result.stdout


def test_new_products_get_numbers_behind_all_that_orders_name(
    before: Shop, do: Do
) -> None:
    gift = {"product": "Pen", "product_id": "40", "unit_price": 0}
    append_old_order(before, 4, gift)
    adopt()

    do(AddProduct(name="LAMP", unit_price=999, currency="EUR"))

    assert "product-41" in added(before)


def test_what_cannot_be_a_product_is_told(before: Shop) -> None:
    gift = {"product": "Pen", "product_id": "40", "unit_price": 0}
    odd = {"product": "Odd", "product_id": "A\x1b[2J 1", "unit_price": 5}
    append_old_order(before, 4, gift, odd)

    result = adopt()

    assert "not listed 1 number was never paid for: '40'" in result.stdout
    assert r"not listed 1 number can be no product's: 'A\x1b[2J 1'" in result.stdout
    assert set(added(before)) == {"product-17", "product-RC-1"}


def test_a_gift_does_not_hide_the_price_of_before(before: Shop) -> None:
    gift = {**CHAI, "unit_price": 0}
    append_old_order(before, 4, gift, placed=PLACED + timedelta(days=60))

    adopt()

    assert added(before)["product-17"] == ("Chai, 20 bags", 2_100)


def test_orders_of_the_forgotten_name_products_too(before: Shop, do: Do) -> None:
    lamp = Item(product="LAMP", product_id="18", quantity=1, unit_price=999)
    do(
        PlaceOrder(customer_id="ALICE", items=(lamp,), address=LONDON, currency="EUR"),
        ForgetCustomer(customer_id="ALICE"),
    )

    assert adopt().exit_code == 0
    assert added(before)["product-18"] == ("LAMP", 999)


def test_a_product_that_is_promised_is_not_taken(before: Shop) -> None:
    clock = AddProduct(product_id="RC-1", name="C", unit_price=1, currency="EUR")
    accept(before, clock, key="first", principal="alice")

    result = adopt()

    assert result.exit_code == 1
    assert "product-RC-1 has no event yet, but a command that waits" in result.stderr
    assert added(before) == {}


def test_a_run_that_was_stopped_is_ended_by_the_next(
    before: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_append, "BATCH_EVENTS", 1)
    original = appending.append_batch
    left = [original]

    def append_once(*arguments: Any) -> None:
        if not left:
            raise KeyboardInterrupt
        left.pop()(*arguments)

    monkeypatch.setattr(appending, "append_batch", append_once)
    stopped = adopt()
    monkeypatch.setattr(appending, "append_batch", original)
    half = added(before)

    second = adopt()

    assert (stopped.exit_code, second.exit_code) == (130, 0)
    assert (len(half), len(added(before))) == (1, 2)
