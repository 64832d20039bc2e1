"""From event objects to JSON and back, and what the future may find in old events."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, get_args

import pytest

from domain.address import Address
from domain.customers import events as customer_events
from domain.orders import events
from domain.orders.lines import Line
from domain.orders.upcasters import UPCASTERS
from domain.products import events as product_events
from eventstore.errors.unreadable import UnknownEventType, UnreadableEvent
from eventstore.log.codec import EventCodec, schema_of
from tests.generated.history import sample
from tests.support import order_events
from tests.support.engine import Added

LONDON = Address(street="12 Orchestra Terrace", city="London", country="UK")
EVENTS = [
    customer_events.CustomerRegistered(
        name="Alice",
        email="alice@example.com",
        contact_name="Alice Liddell",
        phone="020 7946 0001",
        address=LONDON,
    ),
    customer_events.CustomerRegistered(name="Bob"),
    customer_events.CustomerDetailsChanged(name="Robert", email="bob@example.com"),
    customer_events.CustomerForgotten(),
    events.OrderCreated(
        customer_id="ALICE",
        items=(
            Line(
                number=1,
                product="RETRO-CLOCK ⏰",
                product_id="RC-1",
                quantity=2,
                unit_price=4_950,
                discount=Decimal("0.0500"),
            ),
        ),
        discount=Decimal("0.1"),
        freight=650,
        total=9_115,
        terms=14,
        address=LONDON,
        currency="EUR",
        required_date=date(2026, 12, 24),
        carriage=420,
    ),
    order_events.placed,
    order_events.more_clocks,
    order_events.moved,
    order_events.paid,
    order_events.voided,
    order_events.clock_shipped,
    order_events.shipped,
    events.OrderShipped(),
    events.TrackingCorrected(parcel=2, tracking_no="1Z-990"),
    events.DeliveryConfirmed(delivered_at=datetime(2026, 12, 24, 9, 30, tzinfo=UTC)),
    order_events.clock_returned,
    events.OrderCancelled(reason='bought it "twice"'),
    order_events.put_off_to_january,
    order_events.refunded,
    events.NoteAdded(customer_id="ALICE", text="Wants it wrapped.\nIn red."),
    product_events.ProductAdded(name="LAMP", unit_price=999, currency="EUR"),
    product_events.PriceChanged(unit_price=1_099),
    product_events.ProductRenamed(name="LAMP II"),
    product_events.ProductDiscontinued(),
]
KINDS = [
    *get_args(customer_events.CustomerEvent),
    *get_args(events.OrderEvent),
    *get_args(product_events.ProductEvent),
]
EVENTS += [sample(kind) for kind in KINDS if kind not in map(type, EVENTS)]

codec = EventCodec([Added])


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_comes_back_as_it_was(event: Any) -> None:
    shop = EventCodec(KINDS, UPCASTERS)

    assert shop.decode(type(event).__name__, shop.encode(event)) == event


def test_a_field_that_a_class_does_not_know_is_ignored() -> None:
    assert codec.decode("Added", '{"amount": 7, "colour": "red"}') == Added(amount=7)


def test_an_optional_field_that_is_missing_takes_its_default() -> None:
    assert codec.decode("Added", '{"amount": 7}').note == ""


def test_an_event_without_a_class_is_told_by_its_type() -> None:
    with pytest.raises(UnknownEventType, match="Subtracted"):
        codec.decode("Subtracted", "{}")


@pytest.mark.parametrize(
    "data", ['{"amount": "seven"}', "{}", "[]", '{"amount": 7', '{"amount": 7.5}']
)
def test_data_that_do_not_fit_the_class_are_told(data: str) -> None:
    with pytest.raises(UnreadableEvent, match="Added"):
        codec.decode("Added", data)


def test_a_discount_is_written_as_a_text_and_keeps_its_digits() -> None:
    line = Line(
        number=1,
        product="LAMP",
        quantity=1,
        unit_price=999,
        discount=Decimal("0.0500"),
    )

    assert json.loads(codec.encode(line))["discount"] == "0.0500"


def test_an_event_has_the_first_schema_until_its_class_says_otherwise() -> None:
    assert schema_of(Added(amount=7)) == "1.0"
