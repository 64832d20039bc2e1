"""A history, and checks of the copies that are made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

import pytest

from domain.accounts.commands import Deposit, OpenAccount, Withdraw
from domain.address import Address
from domain.customers.events import CustomerRegistered
from domain.orders.commands import (
    ChangedItem,
    ChangeItems,
    ReceivePayment,
    ShipParcel,
    VoidPayment,
)
from domain.orders.events import NoteAdded, OrderCreated, ShippingAddressChanged
from domain.orders.lines import Line
from domain.transfers.commands import TransferMoney
from eventstore.aggregates.decider import category_of
from eventstore.log.append import append
from eventstore.log.codec import EventCodec, schema_of
from eventstore.log.events import Metadata, NewEvent, RecordedEvent
from eventstore.past.moments import Moment, MomentReader
from eventstore.projections.projection import Projection
from tasks.shop.wiring import Shop
from tests.support.desk import (
    ONE_CLOCK,
    add_clock,
    alice,
    bob,
    note,
    pay,
    place,
    raise_price,
    rename,
    return_one_clock,
    ship,
    to_paris,
)
from tests.support.order_histories import OrderHistories
from tests.support.past import (
    fold_past,
    make_copy,
    read_copy,
)

HISTORY = (
    alice,
    bob,
    place,
    replace(place, customer_id="BOB"),
    pay,
    rename,
    ship,
    OpenAccount(account_id="A", currency="EUR"),
    OpenAccount(account_id="B", currency="EUR"),
    Deposit(account_id="A", amount=500),
    TransferMoney(from_account="A", to_account="B", amount=1, currency="EUR"),
    Withdraw(account_id="A", amount=3),
    place,
    to_paris,
    note,
    return_one_clock,
    add_clock,
    ReceivePayment(order_id=2, amount=999),
    ReceivePayment(order_id=2, amount=1),
    VoidPayment(order_id=2, payment=1),
    replace(pay, order_id=3),
    ShipParcel(order_id=3, tracking_no="1Z-3", lines=(ONE_CLOCK,)),
    ChangeItems(order_id=2, items=(ChangedItem(product_id="RC-1", quantity=1),)),
    raise_price,
    replace(rename, name="Alice Again"),
)


def check(
    shop: Shop, events: Sequence[RecordedEvent], projection: Projection, moment: Moment
) -> None:
    """Assert that the copy of a moment is what a fold of its events gives."""
    copy = make_copy(shop, projection, moment)
    rows, lookups = read_copy(shop, projection, copy)
    wanted_rows, wanted_lookups = fold_past(events, projection, moment)
    assert rows == wanted_rows
    assert lookups == wanted_lookups
    assert copy.rows == len(rows)


def append_order(shop: Shop, customer_id: str, at: datetime | None = None) -> None:
    """Append an order of a customer, placed at a time, or years ago."""
    with shop.transaction() as connection:
        for seed in range(100):
            event = next(OrderHistories.of(seed).stream())
            if f'"customer_id": "{customer_id}"' in event.data:
                placed = event if at is None else replace(event, occurred_at=at)
                append(connection, [("order-99", placed)], expected={"order-99": 0})
                return
    raise AssertionError("chance has made no such order")


def append_in_the_clear(shop: Shop, customer_id: str, name: str, order_id: int) -> None:
    """Append a customer and an order as they were written before encryption."""
    address = Address(name=name, street="Old Road 1", city="Leeds", country="Elmet")
    placed = OrderCreated(
        customer_id=customer_id,
        items=(Line(number=1, product="Old tea", quantity=1, unit_price=100),),
        discount=Decimal(0),
        freight=0,
        total=100,
        terms=None,
        address=address,
        currency="EUR",
    )
    moved = ShippingAddressChanged(customer_id=customer_id, address=address)
    noted = NoteAdded(customer_id=customer_id, text=f"{name} called from Leeds")
    streams: Mapping[str, Sequence[object]] = {
        f"customer-{customer_id}": [CustomerRegistered(name=name, address=address)],
        f"order-{order_id}": [placed, moved, noted],
    }
    with shop.transaction() as connection:
        for stream_id, facts in streams.items():
            codec = shop.deciders.by_category[category_of(stream_id)].events
            events = [(stream_id, in_the_clear(codec, fact)) for fact in facts]
            append(connection, events, expected={stream_id: 0})


def in_the_clear(codec: EventCodec, fact: object) -> NewEvent:
    event_id = uuid4()
    return NewEvent(
        type=type(fact).__name__,
        data=codec.encode(fact),
        metadata=Metadata(
            event_id=event_id,
            correlation_id=event_id,
            causation_id=event_id,
            schema=schema_of(fact),
        ),
    )


def take_live_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have all copies made from the live rows, however much there is to do."""
    monkeypatch.setattr(MomentReader, "count_left", lambda _: 100_000)
