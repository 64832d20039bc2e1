"""What an import makes of four files: which events, in which order, with what kept."""

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from domain.input import parse
from domain.orders.commands import PlaceOrder
from tasks.accept import accept
from tasks.shop import wiring
from tasks.shop.counts import count_in_words
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
from tests.support.orders import order_for


def test_events_are_appended_in_order_of_time(shop: Shop, tmp_path: Path) -> None:
    orders = [
        order(2, "1996-07-05"),
        order(1, "1996-07-04", shipped_date="1996-07-05"),
    ]

    result = run_import(History(orders).write(tmp_path / "old"))

    log = read_log(shop.engine)
    assert result.exit_code == 0, result.output
    assert [(e.stream_id, e.version, e.type, e.occurred_at) for e in log] == [
        ("customer-ALICE", 1, "CustomerRegistered", "1996-07-04 00:00"),
        ("product-11", 1, "ProductAdded", "1996-07-04 00:00"),
        ("order-1", 1, "OrderCreated", "1996-07-04 00:00"),
        ("order-2", 1, "OrderCreated", "1996-07-05 00:00"),
        ("order-1", 2, "OrderShipped", "1996-07-05 00:00"),
    ]


def test_a_customer_who_never_ordered_is_registered_at_the_earliest_day(
    shop: Shop, tmp_path: Path
) -> None:
    customers = [customer("ALICE"), customer("BOB"), customer("17")]
    orders = [order(1, "1996-07-04"), order(2, "1998-05-06", customer_id="BOB")]

    run_import(History(orders, customers).write(tmp_path / "old"))

    registered = {
        event.stream_id: event.occurred_at
        for event in read_log(shop.engine)
        if event.type == "CustomerRegistered"
    }
    assert registered == {
        "customer-ALICE": "1996-07-04 00:00",
        "customer-BOB": "1998-05-06 00:00",
        "customer-17": "1996-07-04 00:00",
    }


def test_all_columns_that_the_shop_knows_are_kept(shop: Shop, tmp_path: Path) -> None:
    history = History(
        [order(1, required_date="1996-08-01", ship_region="Vestland")],
        customers=[customer(email="alice@example.com")],
        lines=[line(1, discount="0.050", unit_price="9.8")],
    )

    run_import(history.write(tmp_path / "old"))

    registered, added, created = (event.data for event in read_log(shop.engine))
    assert registered == {
        "name": "Alice's Clocks",
        "email": "alice@example.com",
        "contact_name": "Alice",
        "phone": "030-0074321",
        "address": {
            "name": None,
            "street": "1 Retro Road",
            "city": "Bergen",
            "region": None,
            "postal_code": "5003",
            "country": "Norway",
        },
    }
    assert added == {"name": "RETRO-CLOCK", "unit_price": 4950, "currency": "EUR"}
    assert created == {
        "customer_id": "ALICE",
        "items": [
            {
                "number": 1,
                "product": "RETRO-CLOCK",
                "product_id": "11",
                "quantity": 2,
                "unit_price": 980,
                "discount": "0.05",
            }
        ],
        "discount": "0",
        "freight": 0,
        "total": 1862,
        "terms": 0,
        "address": {
            "name": "Alice",
            "street": "1 Retro Road",
            "city": "Bergen",
            "region": "Vestland",
            "postal_code": None,
            "country": "Norway",
        },
        "currency": "EUR",
        "required_date": "1996-08-01",
        "carriage": 3238,
    }


def test_a_column_that_is_not_kept_is_named(shop: Shop, tmp_path: Path) -> None:
    history = History(
        [order(1)],
        customers=[customer(**{"fax\x1b[2J": "1"})],
        products=[product(units_in_stock="3", discontinued="0")],
    )

    result = run_import(history.write(tmp_path / "old"))

    assert r"not kept   customers.csv: 'fax\x1b[2J'" in result.stdout
    assert "not kept   products.csv: units_in_stock\n" in result.stdout


def test_metadata_tell_the_source_and_nothing_of_this_run(
    shop: Shop, tmp_path: Path
) -> None:
    run_import(History([order(1)]).write(tmp_path / "northwind"))

    first, second, _ = (event.metadata for event in read_log(shop.engine))
    assert first.keys() == {
        "event_id",
        "correlation_id",
        "causation_id",
        "schema",
        "source",
    }
    assert first["source"] == "northwind"
    assert first["causation_id"] == first["correlation_id"] == second["causation_id"]
    assert first["event_id"] != second["event_id"]


def test_the_source_can_be_named(shop: Shop, tmp_path: Path) -> None:
    run_import(History([order(1)]).write(tmp_path / "old"), "--source", "northwind")

    assert read_log(shop.engine)[0].metadata["source"] == "northwind"


def test_history_is_not_judged_by_todays_rules(shop: Shop, tmp_path: Path) -> None:
    history = History(
        [order(1, "1996-07-04", shipped_date="1996-07-01", freight="")],
        customers=[customer("ALICE", address="", city="", postal_code="", country="")],
        lines=[line(1, unit_price="0"), line(1, unit_price="0.00", discount="1")],
    )

    result = run_import(history.write(tmp_path / "old"))

    registered, _, created, shipped = read_log(shop.engine)
    assert result.exit_code == 0, result.output
    assert registered.data["address"] is None
    assert (created.data["total"], created.data["carriage"]) == (0, None)
    # It was shipped before it was ordered, they say: the order of its stream stays.
    assert (shipped.version, shipped.occurred_at) == (2, "1996-07-01 00:00")


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("America/New_York", "1996-07-04", "1996-07-04 04:00"),
        ("America/New_York", "1996-12-04", "1996-12-04 05:00"),
        # Clocks went from 00:00 to 01:00: the day began at 01:00.
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04 03:00"),
        # Clocks went from 01:00 back to 00:00: the day began at the first of both.
        ("America/Havana", "2018-11-04", "2018-11-04 04:00"),
    ],
)
def test_a_day_begins_at_midnight_in_the_shops_timezone(
    shop: Shop, tmp_path: Path, zone: str, day: str, expected: str
) -> None:
    wiring.use(Shop(replace(shop.settings, timezone=ZoneInfo(zone))))

    run_import(History([order(1, day)]).write(tmp_path / "old"))

    wiring.shop().engine.dispose()
    assert {event.occurred_at for event in read_log(shop.engine)} == {expected}


def test_new_orders_get_numbers_behind_the_imported(shop: Shop, tmp_path: Path) -> None:
    history = History(
        [order(11077), order(10248)], [customer(), customer("91"), customer("007")]
    )

    run_import(history.write(tmp_path / "old"))
    command = parse(PlaceOrder, order_for(currency="EUR"))
    accept(shop, command, key="first", principal="alice")

    with shop.engine.connect() as connection:
        stream_id = connection.scalar(sa.text("SELECT stream_id FROM commands"))
    assert stream_id == "order-11078"
    assert last_number(shop.engine, "customer_numbers") == 91


def test_numbers_never_go_back(shop: Shop, tmp_path: Path) -> None:
    with shop.engine.begin() as connection:
        connection.execute(sa.text("SELECT setval('order_numbers', 20000)"))

    run_import(History([order(11077)]).write(tmp_path / "old"))

    assert last_number(shop.engine) == 20_000


def test_the_read_models_have_followed_at_the_end(shop: Shop, tmp_path: Path) -> None:
    result = run_import(History([order(1)]).write(tmp_path / "old"))

    with shop.engine.connect() as connection:
        name = connection.scalar(
            sa.text("SELECT customer_name FROM readmodels.order_list")
        )
    assert name == "Alice's Clocks"
    assert "caught up" in result.stdout


def test_a_rehearsal_says_the_same_and_writes_nothing(
    shop: Shop, tmp_path: Path
) -> None:
    folder = History([order(1, shipped_date="1996-07-16")]).write(tmp_path / "old")

    rehearsal = run_import(folder, "--dry-run")
    log, number = read_log(shop.engine), last_number(shop.engine)
    real = run_import(folder)

    found = [text for text in real.stdout.splitlines() if text.startswith("found")]
    assert rehearsal.exit_code == 0
    assert "1 customer, 1 product, 1 order and 1 shipping: 4 events" in rehearsal.stdout
    assert set(found) <= set(rehearsal.stdout.splitlines())
    assert (log, number) == ([], 0)


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 events were"), (1, "1 event was"), (2_000, "2,000 events were")],
)
def test_one_is_said_as_one_and_the_rest_as_many(count: int, said: str) -> None:
    assert count_in_words(count, "event was", "events were") == said


def test_products_may_repeat_in_an_order(shop: Shop, tmp_path: Path) -> None:
    history = History(
        [order(1)], lines=[line(1), line(1)], products=[product(), product("12", "B")]
    )

    run_import(history.write(tmp_path / "old"))

    created = read_log(shop.engine)[-1]
    assert [item["number"] for item in created.data["items"]] == [1, 2]
