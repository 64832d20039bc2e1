"""What the history of a real shop comes to: as it is, and as it was one day."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from click.testing import CliRunner

from cli.importing import import_history
from domain.orders.commands import ConfirmDelivery
from domain.orders.state import Order
from domain.orders.status import Status
from eventstore.aggregates.as_of import AsOf, load_as_of
from eventstore.aggregates.loading import load
from readmodels import customers, figures, order_list
from readmodels.figures import Figures
from tasks.shop import wiring
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.support import northwind
from tests.support.desk import Do

pytestmark = pytest.mark.skipif(
    not northwind.is_there(),
    reason="needs Northwind's CSV files: set NORTHWIND_DIR to their folder",
)

END_OF_MARCH = AsOf(at=datetime(1997, 3, 31, 23, 59, 59, tzinfo=UTC))


@pytest.fixture
def shop(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The order desk with Northwind's history in it."""
    monkeypatch.setattr("tasks.broker.publish.send", lambda *_: None)
    shop = Shop(replace(settings, currency="USD"))
    wiring.use(shop)
    arguments = [str(northwind.folder()), "--currency", "USD"]
    result = CliRunner().invoke(import_history, arguments)
    assert result.exit_code == 0, result.output
    yield shop
    shop.engine.dispose()


def test_the_figures_of_the_read_models_are_those_of_the_shop(shop: Shop) -> None:
    with shop.engine.connect() as connection:
        sums = figures.find(connection)
        known = customers.find(connection, limit=200)
        waiting = order_list.find(connection, status="pending", limit=200)

    assert sums == Figures(
        orders=830,
        gross=135_445_859,
        total=126_579_322,
        freight=6_494_269,
        not_shipped=21,
    )
    assert len(known.rows) == 91
    assert len(waiting.rows) == 21
    assert sum(customer.worth for customer in known.rows) == 126_579_322


def orders_of(shop: Shop, ask: Callable[..., Any]) -> list[Order]:
    streams = [f"order-{number}" for number in range(10_248, 11_078)]
    with shop.lent() as connection:
        loaded = ask(connection, streams, shop.deciders)
    return [o for o in loaded.states.values() if o.status is not Status.NONE]


def test_the_orders_are_as_they_were_one_day_whatever_came_later(
    shop: Shop, do: Do
) -> None:
    do(ConfirmDelivery(order_id=10_248, delivered_at=datetime(1996, 7, 20, tzinfo=UTC)))

    now = orders_of(shop, load)
    then = orders_of(shop, partial(load_as_of, as_of=END_OF_MARCH))

    assert (len(now), sum(order.status is Status.DELIVERED for order in now)) == (
        830,
        1,
    )
    assert len(then) == 244
    assert sum(order.standing.total for order in then) == 34_637_294
    assert sum(order.status is Status.PENDING for order in then) == 9
    assert not any(order.status is Status.DELIVERED for order in then)
