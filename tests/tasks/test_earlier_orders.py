"""
What orders mean now whose events are older than part payments, parcels and due freight.

Their events are those that earlier versions wrote, in `tests/domain/history`.
"""

import json
from datetime import UTC, datetime
from functools import reduce
from typing import Any

import pytest

from domain.orders import commands, events
from domain.orders.lines import LineQuantity
from domain.orders.order import decide
from domain.orders.state import Order, Payment
from domain.orders.status import Status
from eventstore.log.events import RecordedEvent
from eventstore.testing.projection_specification import ProjectionSpecification
from readmodels import order_details, order_list
from tasks.shop.deciders import ORDERS
from tests.generated.history import HISTORY

THEN = datetime(2025, 12, 1, tzinfo=UTC)
OF_VERSION = {1: "OrderCreated-1.0", 2: "OrderCreated-2.0"}
COST = {1: 10_404, 2: 9_364}


def recorded(*names: str) -> list[RecordedEvent]:
    """Return the stored events of these names as a log with one order in it."""
    found: list[RecordedEvent] = []
    for position, name in enumerate(names, 1):
        told: dict[str, Any] = json.loads((HISTORY / f"{name}.json").read_text())
        stream_id = "customer-ALICE" if "Customer" in name else "order-1"
        found.append(
            RecordedEvent(
                position=position,
                stream_id=stream_id,
                type=told["type"],
                version=1 + sum(one.stream_id == stream_id for one in found),
                data=json.dumps(told["data"]),
                metadata=json.dumps(told["metadata"]),
                occurred_at=THEN,
            )
        )
    return found


def created(version: int) -> events.OrderCreated:
    (event,) = ORDERS.events.read(recorded(OF_VERSION[version])[0])
    assert isinstance(event, events.OrderCreated)
    return event


def order(*names: str) -> Order:
    """Return the order as its stored events leave it."""
    told = (ORDERS.events.read(event) for event in recorded(*names))
    state: Order = reduce(
        ORDERS.evolve, (one for several in told for one in several), ORDERS.initial
    )
    return state


def row(read_model: Any, *names: str) -> Any:
    """Return the row of a read model about the order."""
    facts = recorded("CustomerRegistered-1.0", *names)
    return ProjectionSpecification(read_model.projection, facts).rows()[1]


every_version = pytest.mark.parametrize("version", [1, 2])
PAID = ("OrderCreated-2.0", "PaymentReceived-1.0")
ARRIVED = (*PAID, "OrderShipped-1.0", "DeliveryConfirmed-1.0")


@every_version
def test_an_order_costs_what_it_did(version: int) -> None:
    assert created(version).total == COST[version]


@every_version
def test_its_freight_was_noted_and_is_asked_of_nobody(version: int) -> None:
    event = created(version)

    assert (event.freight, event.carriage) == (0, 650)


@every_version
def test_where_no_freight_was_noted_there_is_none(version: int) -> None:
    (event,) = recorded(OF_VERSION[version])
    told = json.loads(event.data)
    del told["freight"]
    (found,) = ORDERS.events.read(event._replace(data=json.dumps(told)))

    assert (found.freight, found.carriage) == (0, None)


@every_version
def test_its_lines_are_numbered_as_they_stood(version: int) -> None:
    lines = created(version).items

    assert [(line.number, line.product_id) for line in lines] == [
        (1, "RC-1"),
        (2, None),
    ]
    assert [line.product for line in lines] == ["RETRO-CLOCK ⏰", "LAMP"]


@every_version
def test_it_was_to_be_paid_before_it_was_shipped(version: int) -> None:
    assert created(version).terms is None


@pytest.mark.parametrize(
    ("past", "status", "due", "credit"),
    [
        (PAID[:1], Status.PENDING, 9_364, 0),
        (PAID, Status.PAID, 0, 0),
        (ARRIVED[:3], Status.SHIPPED, 0, 0),
        (ARRIVED, Status.DELIVERED, 0, 0),
        ((*PAID, "OrderCancelled-1.0"), Status.CANCELLED, 0, 9_364),
        (
            (*PAID, "OrderCancelled-1.0", "PaymentRefunded-1.0"),
            Status.CANCELLED,
            0,
            4_364,
        ),
    ],
)
def test_it_is_as_far_as_it_was_and_its_money_is_what_it_was(
    past: tuple[str, ...], status: Status, due: int, credit: int
) -> None:
    found = order(*past)

    assert found.status is status
    assert (found.standing.due, found.standing.credit) == (due, credit)


def test_its_payment_was_its_first_and_can_be_voided() -> None:
    found = order(*PAID)

    assert found.payments == (Payment(9_364),)
    assert decide(found, commands.VoidPayment(order_id=1, payment=1)) == [
        events.PaymentVoided(payment=1, amount=9_364)
    ]


def test_all_of_it_was_one_parcel_and_can_come_back() -> None:
    found = order(*ARRIVED)

    assert found.parcels == (found.tracking,)
    assert decide(found, commands.ReturnOrder(order_id=1)) == [
        events.OrderReturned(
            lines=(
                LineQuantity(line=1, quantity=2),
                LineQuantity(line=2, quantity=1),
            ),
            freight=0,
            total=0,
            is_all=True,
        )
    ]


def test_its_page_tells_that_freight_apart_from_what_it_costs() -> None:
    found = row(order_details, *ARRIVED)

    assert (found.total, found.freight, found.carriage) == (9_364, 0, 650)
    assert (found.paid, found.due, found.credit) == (9_364, 0, 0)
    assert [one.payment for one in found.payments] == [1]
    assert [line.shipped for line in found.lines] == [2, 1]
    assert [line.event for line in found.history] == [
        name.partition("-")[0] for name in ARRIVED
    ]
    assert found.history[0].told == {"total": 9_364, "lines": 2}


def test_its_line_in_the_list_says_the_same() -> None:
    found = row(order_list, *ARRIVED)

    assert (found.status, found.total, found.due) == ("delivered", 9_364, 0)
    assert found.tracking_number == row(order_details, *ARRIVED).tracking_number
