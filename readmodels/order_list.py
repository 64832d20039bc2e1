"""The list of orders: what is on order, for whom, worth how much, and how far it is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

import sqlalchemy as sa

from domain.customers.events import (
    CustomerDetails,
    CustomerDetailsChanged,
    CustomerRegistered,
)
from domain.orders.events import (
    DeliveryConfirmed,
    OrderCancelled,
    OrderCreated,
    OrderEvent,
    OrderShipped,
    PaymentReceived,
)
from eventstore.log.codec import EventCodec
from eventstore.projections.projection import (
    Fact,
    Key,
    LookedUp,
    Lookup,
    Projection,
    Update,
)
from eventstore.projections.table import SCHEMA


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSummaryView:
    """A line of the list; *total* is in minor units of *currency*."""

    order_id: int
    customer_id: str
    customer_name: str
    customer_email: str | None
    total: int
    currency: str
    status: str
    item_count: int
    tracking_number: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerName:
    """What a line says of its customer."""

    customer_id: str
    name: str
    email: str | None


def customer_of(fact: Fact) -> str | None:
    return fact.subject if isinstance(fact.event, CustomerDetails) else None


def customer_name(row: CustomerName | None, fact: Fact) -> CustomerName:
    event: CustomerDetails = fact.event
    return CustomerName(customer_id=fact.subject, name=event.name, email=event.email)


def renamed(fact: Fact) -> Update | None:
    """Return the change of all lines of a customer whose details have changed."""
    match fact.event:
        case CustomerDetailsChanged(name=name, email=email):
            return Update(
                where={"customer_id": fact.subject},
                to={"customer_name": name, "customer_email": email},
            )
        case _:
            return None


def order_of(fact: Fact) -> int | None:
    return None if customer_of(fact) else int(fact.subject)


def needs(fact: Fact) -> Mapping[str, Key]:
    match fact.event:
        case OrderCreated(customer_id=customer_id):
            return {"customers": customer_id}
        case _:
            return {}


def fold(
    row: OrderSummaryView | None, fact: Fact, looked_up: LookedUp
) -> OrderSummaryView:
    """Return the line as it is after the event."""
    event: OrderEvent = fact.event
    match event:
        case OrderCreated():
            customer: CustomerName = looked_up["customers"][event.customer_id]
            return OrderSummaryView(
                order_id=int(fact.subject),
                customer_id=event.customer_id,
                customer_name=customer.name,
                customer_email=customer.email,
                total=event.total,
                currency=event.currency,
                status="pending",
                item_count=len(event.items),
                tracking_number=None,
                created_at=fact.occurred_at,
            )
        case PaymentReceived():
            paid = known(row)
            # An imported history may know of the payment after the parcel.
            return replace(paid, status="paid") if paid.status == "pending" else paid
        case OrderShipped():
            return replace(
                known(row), status="shipped", tracking_number=event.tracking_no
            )
        case DeliveryConfirmed():
            return replace(known(row), status="delivered")
        case OrderCancelled():
            return replace(known(row), status="cancelled")
        case _:
            assert_never(event)


def known(row: OrderSummaryView | None) -> OrderSummaryView:
    """Return the line, which was made by the order's first event."""
    assert row is not None
    return row


EVENTS = (
    CustomerRegistered,
    CustomerDetailsChanged,
    OrderCreated,
    PaymentReceived,
    OrderShipped,
    DeliveryConfirmed,
    OrderCancelled,
)

projection = Projection(
    name="order_list",
    row=OrderSummaryView,
    key="order_id",
    events=EventCodec(EVENTS),
    types=[event.__name__ for event in EVENTS],
    key_of=order_of,
    needs=needs,
    fold=fold,
    update=renamed,
    indexes=["customer_id"],
    lookups=[
        Lookup(
            name="customers",
            row=CustomerName,
            key="customer_id",
            key_of=customer_of,
            fold=customer_name,
        )
    ],
)

order_list = sa.table(
    "order_list",
    *(sa.column(name) for name in OrderSummaryView.__slots__),
    schema=SCHEMA,
)


def find_newest(
    connection: sa.Connection, *, limit: int = 50, before: int | None = None
) -> list[OrderSummaryView]:
    """Return the latest orders, at most *limit*; with *before*, those under it."""
    query = sa.select(order_list).order_by(order_list.c.order_id.desc()).limit(limit)
    if before is not None:
        query = query.where(order_list.c.order_id < before)
    return [OrderSummaryView(**row) for row in connection.execute(query).mappings()]
