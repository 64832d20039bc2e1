"""
Copies of fifty moments of a shop of many orders, held against a fold of the log.

The fold goes through the log once, and what it has at each moment is kept; the list of
orders is held against one that is written by hand, too.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any, NamedTuple

import msgspec
import pytest

from eventstore.log.events import RecordedEvent
from eventstore.past.dropping import drop_copies
from eventstore.past.filler import Bounds
from eventstore.projections.project import subscription_of
from eventstore.projections.projection import Projection
from eventstore.subscriptions.catch_up import catch_up
from readmodels import ALL, order_list
from tasks.shop import wiring
from tasks.shop.wiring import Shop
from tests.support.databases import Databases
from tests.support.past import (
    Rows,
    fold_one,
    make_copy,
    moment_of,
    read_copy,
    read_events,
)
from tests.support.repeat_buyers import CUSTOMERS, ORDERS, RepeatBuyers
from tests.support.settings import settings_for

SMALL = RepeatBuyers(customers=60, orders=180)
FULL = RepeatBuyers(CUSTOMERS, ORDERS)
MOMENTS = {SMALL: 5, FULL: 50}
BOUNDS = Bounds(copies=20)
STATUS = {
    "OrderCreated": "pending",
    "PaymentReceived": "paid",
    "OrderCancelled": "cancelled",
}

Folded = tuple[Rows, Mapping[str, Rows]]


class FilledShop(NamedTuple):
    """A shop with such a history, its log, and moments of it, ascending."""

    shop: Shop
    events: Sequence[RecordedEvent]
    moments: Sequence[datetime]


@pytest.fixture(
    scope="module",
    params=[SMALL, pytest.param(FULL, marks=pytest.mark.long)],
    ids=["small", "full"],
)
def filled(
    databases: Databases, request: pytest.FixtureRequest
) -> Iterator[FilledShop]:
    with databases.lend() as url, pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.broker.publish.send", lambda *_: None)
        shop = Shop(settings_for(url))
        wiring.use(shop)
        shop.ensure_read_models()
        with shop.lent() as connection:
            request.param.append(connection)
            for projection in ALL:
                live = replace(subscription_of(projection, 1), batch=5_000)
                assert catch_up(connection, live).error is None
        events = read_events(shop)
        chance = Random(17)
        begin, end = events[0].occurred_at, events[-1].occurred_at
        count = MOMENTS[request.param]
        times = [begin + (end - begin) * chance.random() for _ in range(count - 2)]
        # The very time of an event, whose events belong to it, and the end of all.
        times += [chance.choice(events).occurred_at, end]
        yield FilledShop(shop, events, sorted(times))
        shop.close()


def fold_at_each(
    events: Sequence[RecordedEvent], projection: Projection, moments: Sequence[datetime]
) -> list[Folded]:
    """Return what a fold has at each of *moments*; times of the log rise."""
    rows: Rows = {}
    lookups: dict[str, Rows] = {lookup.name: {} for lookup in projection.lookups}
    found: list[Folded] = []
    waiting = iter(events)
    event = next(waiting, None)
    for moment in moments:
        while event is not None and event.occurred_at <= moment:
            if event.type in projection.types:
                fold_one(event, projection, rows, lookups)
            event = next(waiting, None)
        there = {key: row for key, row in rows.items() if row is not None}
        found.append((there, {name: dict(some) for name, some in lookups.items()}))
    return found


def list_by_hand(
    events: Sequence[RecordedEvent], moment: datetime
) -> dict[int, tuple[Any, ...]]:
    """Return customer, name, total and status of each order, by its number."""
    names: dict[str, str] = {}
    orders: dict[int, list[Any]] = {}
    for event in events:
        if event.occurred_at > moment:
            break
        category, _, subject = event.stream_id.partition("-")
        data = msgspec.json.decode(event.data)
        if category == "customer":
            names[subject] = data["name"]
            continue
        if event.type == "OrderCreated":
            orders[int(subject)] = [data["customer_id"], data["total"], ""]
        orders[int(subject)][2] = STATUS[event.type]
    return {
        number: (customer, names[customer], total, status)
        for number, (customer, total, status) in orders.items()
    }


def in_short(rows: Rows) -> dict[int, tuple[Any, ...]]:
    return {
        number: (row.customer_id, row.customer_name, row.total, row.status)
        for number, row in rows.items()
    }


@pytest.mark.parametrize("order", ["ascending", "by chance"])
@pytest.mark.parametrize("projection", ALL, ids=lambda model: model.name)
def test_each_moment_of_a_shop_shows_what_a_fold_of_its_events_gives(
    filled: FilledShop, projection: Projection, order: str
) -> None:
    shop, events, moments = filled
    expected = fold_at_each(events, projection, moments)
    places = list(range(len(moments)))
    if order == "by chance":
        Random(4).shuffle(places)
    for place in places:
        at = moment_of(shop, moments[place])
        copy = make_copy(shop, projection, at, BOUNDS)

        assert copy.left_out == 0
        assert read_copy(shop, projection, copy) == expected[place], moments[place]
        if projection is order_list.projection:
            by_hand = list_by_hand(events, moments[place])
            assert in_short(expected[place][0]) == by_hand
    with shop.lent() as connection:
        drop_copies(connection)


def test_its_size_is_what_was_asked_for(filled: FilledShop) -> None:
    created = sum(event.type == "OrderCreated" for event in filled.events)
    registered = sum(event.type == "CustomerRegistered" for event in filled.events)
    times = [event.occurred_at for event in filled.events]

    assert (registered, created) in [(60, 180), (CUSTOMERS, ORDERS)]
    assert times == sorted(times)
