"""The demo with a past: what its history has, and what a second run does."""

import json
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from cli.demo import demo
from domain.customers.commands import RegisterCustomer
from domain.input import parse
from domain.orders.commands import PlaceOrder
from domain.orders.events import OrderEvent
from domain.orders.status import Status
from domain.products.events import ProductEvent
from eventstore.log.append import append
from eventstore.log.bulk_append import append_bulk
from eventstore.log.events import Metadata, NewEvent
from tasks.shop.demo.history.episodes import LAST_DAY
from tasks.shop.demo.history.planning import DemoWanted, plan_demo
from tasks.shop.history_import.plan import Plan
from tasks.shop.wiring import Shop
from tests.support.desk import Do
from tests.support.histories import read_log
from tests.support.orders import order_for

BERLIN = ZoneInfo("Europe/Berlin")
REGISTER = RegisterCustomer(customer_id="ALICE", name="Alice's Clocks")
WANTED = DemoWanted(orders=120, last_day=date(2026, 3, 31))


def plan(wanted: DemoWanted = WANTED, currency: str = "EUR") -> Plan:
    return plan_demo(wanted, currency=currency, zone=BERLIN)


def run(*options: str) -> Result:
    return CliRunner().invoke(demo, options, catch_exceptions=False)


def ask(shop: Shop, query: str) -> list[tuple[object, ...]]:
    with shop.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def test_the_same_seed_and_day_make_the_same_history() -> None:
    assert plan() == plan()
    assert plan() != plan(DemoWanted(orders=120, seed=2, last_day=WANTED.last_day))


def test_the_history_is_in_order_of_time_and_ends_with_its_last_day() -> None:
    # The clocks went forward two days before.
    times = [event.occurred_at for event in plan().events]

    assert times == sorted(times)
    assert times[-1].astimezone(BERLIN).date() == WANTED.last_day
    assert (times[-1] - times[0]).days in (LAST_DAY, LAST_DAY + 1)


@pytest.mark.parametrize("last", range(25, 32))
def test_the_history_keeps_the_rules_whatever_day_of_the_week_it_ends(
    last: int,
) -> None:
    wanted = DemoWanted(orders=80, seed=last, last_day=date(2026, 3, last))

    assert plan(wanted).highest_order == 80


@pytest.mark.parametrize("currency", ["EUR", "JPY", "KWD"])
def test_as_many_orders_are_placed_as_are_wanted(currency: str) -> None:
    types = Counter(event.type for event in plan(currency=currency).events)

    assert types["OrderCreated"] == plan().highest_order == 120


def test_the_demo_has_all_that_can_happen_to_orders_and_products() -> None:
    kinds = {event.type for event in plan().events}

    for kind in (*get_args(OrderEvent), *get_args(ProductEvent)):
        assert kind.__name__ in kinds


def test_the_goods_are_on_the_list_before_anybody_orders() -> None:
    types = [event.type for event in plan().events]

    assert types[:19] == ["ProductAdded"] * 19
    assert "ProductAdded" not in types[19:]


def test_an_order_of_the_demo_keeps_the_price_of_its_day() -> None:
    """It has the list's price, one that was agreed on, or is of something else."""
    prices: dict[str, int] = {}
    told = Counter[str]()
    for event in plan(DemoWanted(orders=300, last_day=WANTED.last_day)).events:
        data, product_id = json.loads(event.data), event.stream_id.partition("-")[2]
        if event.type in ("ProductAdded", "PriceChanged"):
            prices[product_id] = data["unit_price"]
        for item in data["items"] if event.type == "OrderCreated" else ():
            if item["product_id"] is None:
                told["free"] += 1
            else:
                is_listed = item["unit_price"] == prices[item["product_id"]]
                told["listed" if is_listed else "agreed"] += 1

    assert told["free"] > 1
    assert told["agreed"] == 1
    assert told["listed"] > 300


def test_nothing_is_known_of_the_forgotten_after_the_forgetting() -> None:
    """Else a run that was killed could not encrypt the rest."""
    events = plan().events
    forgotten = next(e for e in events if e.type == "CustomerForgotten")
    number = forgotten.stream_id.removeprefix("customer-")
    about = [
        event
        for event in events
        if event.stream_id == forgotten.stream_id
        or f'"customer_id":"{number}"' in event.data
    ]

    assert len(about) == 4
    assert about[-1] == forgotten


def test_the_demo_has_orders_in_every_state_by_several_people(shop: Shop) -> None:
    result = run("--orders", "120")

    assert result.exit_code == 0, result.output
    statuses = ask(
        shop, "SELECT status, count(*) FROM readmodels.order_list GROUP BY 1"
    )
    expected = {str(s) for s in Status if s is not Status.NONE}
    assert {status for status, _ in statuses} == expected
    log = read_log(shop.engine)
    actors = {event.metadata["actor"] for event in log}
    assert {"webshop", "mara", "jonas", "emma", "carrier", "henrik"} <= actors
    assert {event.metadata["source"] for event in log} == {
        f"a demo shop of 120 orders to {yesterday()}"
    }
    assert ask(shop, "SELECT count(*) FROM commands") == [(0,)]


def yesterday() -> date:
    return date.fromordinal(datetime.now(UTC).toordinal() - 1)


def test_a_customer_of_the_demo_was_renamed_and_the_list_follows(shop: Shop) -> None:
    run("--orders", "50")

    assert ask(
        shop,
        "SELECT DISTINCT customer_name FROM readmodels.order_list"
        " WHERE customer_name LIKE 'Åsa%'",
    ) == [("Åsa Lindqvist-Öberg",)]


def test_a_customer_of_the_demo_was_corrected_twice(shop: Shop) -> None:
    run("--orders", "50")

    changed = [
        event.data["address"]["street"]
        for event in read_log(shop.engine)
        if event.type == "CustomerDetailsChanged"
        and event.data["name"] == "Iris van der Meulen"
    ]
    assert changed == ["Oude Gracht 512", "Lijnmarkt 84"]


def test_the_forgotten_customer_of_the_demo_can_be_read_by_nobody(shop: Shop) -> None:
    run("--orders", "50")

    ((stream_id,),) = ask(
        shop, "SELECT stream_id FROM events WHERE type = 'CustomerForgotten'"
    )
    assert ask(
        shop, f"SELECT wrapped FROM vault.keys WHERE subject = '{stream_id}'"
    ) == [(None,)]
    kept = ask(shop, "SELECT data::text FROM events")
    rows = ask(shop, "SELECT c::text FROM readmodels.customers AS c")
    rows += ask(shop, "SELECT o::text FROM readmodels.order_list AS o")
    rows += ask(shop, "SELECT o::text FROM readmodels.order_details AS o")
    assert not [text for (text,) in kept + rows if "Bennett" in str(text)]
    # His orders stay.
    number = str(stream_id).removeprefix("customer-")
    assert ask(
        shop,
        f"SELECT count(*) FROM readmodels.order_list WHERE customer_id = '{number}'",
    ) == [(2,)]


def test_money_of_the_demo_adds_up(shop: Shop) -> None:
    run("--orders", "120")

    assert ask(shop, "SELECT DISTINCT status FROM readmodels.transfers ORDER BY 1") == [
        ("compensated",),
        ("completed",),
    ]
    ((left,),) = ask(
        shop, "SELECT balance FROM readmodels.accounts WHERE account_id = 'till'"
    )
    assert left == 38_000


def test_a_second_run_changes_nothing(shop: Shop) -> None:
    run("--orders", "50")
    events = ask(shop, "SELECT * FROM events ORDER BY id")

    again = run()

    assert again.exit_code == 0
    assert "nothing to do" in again.output
    assert ask(shop, "SELECT * FROM events ORDER BY id") == events


def test_a_shop_takes_no_second_demo(shop: Shop) -> None:
    run("--orders", "50")

    other = run("--orders", "60")

    assert other.exit_code == 1
    assert "has a demo of 50 orders with seed 1 already" in other.output


def test_a_shop_with_a_history_of_its_own_takes_no_demo(shop: Shop, do: Do) -> None:
    do(REGISTER)

    refused = run()

    assert refused.exit_code == 1
    assert "has a history of its own" in refused.output
    assert ask(shop, "SELECT count(*) FROM events") == [(1,)]


def test_a_demo_of_a_version_before_is_kept_as_it_is(shop: Shop) -> None:
    about = UUID(int=1)
    metadata = Metadata(
        event_id=about,
        correlation_id=about,
        causation_id=about,
        schema="1.0",
        source="a demo of 300 orders to 2026-03-31",
    )
    event = NewEvent(type="CustomerForgotten", data="{}", metadata=metadata)
    with shop.lent() as connection:
        append(connection, [("customer-1", event)], expected={"customer-1": 0})

    refused = run()

    assert refused.exit_code == 1
    assert "has the demo of a version before, and keeps it" in refused.output
    assert ask(shop, "SELECT count(*) FROM events") == [(1,)]


def test_after_the_demo_the_shop_goes_on_with_the_next_number(
    shop: Shop, do: Do
) -> None:
    run("--orders", "50")

    do(REGISTER, parse(PlaceOrder, order_for(currency="EUR")))

    assert ask(
        shop,
        "SELECT stream_id FROM events WHERE metadata ->> 'source' IS NULL ORDER BY id",
    ) == [("customer-ALICE",), ("order-51",)]


def test_a_killed_demo_is_completed_by_another_run(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventstore.log.bulk_append.BATCH_EVENTS", 60)
    appended = count_down(monkeypatch, 3)
    with pytest.raises(KilledHere):
        run("--orders", "50")
    assert appended == [0]
    assert ask(shop, "SELECT count(*) FROM events") == [(180,)]
    monkeypatch.undo()
    monkeypatch.setattr("tasks.broker.publish.send", lambda *_: None)
    monkeypatch.setattr("eventstore.log.bulk_append.BATCH_EVENTS", 60)

    result = run()

    assert result.exit_code == 0, result.output
    assert ask(shop, "SELECT count(*) FROM readmodels.order_list") == [(50,)]


class KilledHere(BaseException):
    """What ends a run in the middle."""


def count_down(monkeypatch: pytest.MonkeyPatch, appends: int) -> list[int]:
    """Kill the run after so many appends; return the number that is left."""
    left = [appends]

    def append_or_die(*arguments: Any, **named: Any) -> object:
        if not left[0]:
            raise KilledHere
        left[0] -= 1
        return append_bulk(*arguments, **named)

    monkeypatch.setattr(
        "tasks.shop.history_import.appending.append_bulk", append_or_die
    )
    return left
