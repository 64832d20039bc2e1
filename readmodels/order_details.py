"""One order in full: lines, totals, address and history."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa

from domain.address import Address
from domain.customers.events import CustomerDetailsChanged, CustomerForgotten
from domain.forgotten import FORGOTTEN, FORGOTTEN_ADDRESS
from domain.money import line_amounts
from domain.orders import events
from domain.orders.commands import Item
from domain.orders.status import Status, status_after
from domain.orders.upcasters import UPCASTERS
from eventstore.projections.projection import (
    Fact,
    Index,
    LookedUp,
    Projection,
    Update,
)
from eventstore.projections.views import View
from readmodels.rows_of_orders import (
    CUSTOMER_FIELDS,
    CUSTOMERS,
    EVENTS,
    FORGETS,
    STREAMS,
    CustomerName,
    needs_customer,
    order_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """
    A line of an order; *amount* is its worth after its discount, in minor units.

    The amounts of all lines add up: only their sum is rounded.
    """

    product: str
    product_id: str | None
    quantity: int
    unit_price: int
    discount: Decimal
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """
    One event of the order: type, time, actor and cause.

    *told* has the fields of the event by name. The cause is a command or, for imported
    events, the history that *source* names.
    """

    event: str
    version: int
    position: int
    occurred_at: datetime
    actor: str | None
    command_id: UUID | None
    causation_id: UUID
    source: str | None
    told: Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDetailsView:
    """
    An order; amounts are in minor units of *currency*.

    *gross* is the lines' worth before discounts, *total* after them and after the
    *discount* on the whole order; freight is in neither. *paid* is what came in, and
    *refunded* what of it went back. *version* is the stream's, for a command that
    expects it.
    """

    order_id: Annotated[int, "The order's number"]
    version: Annotated[int, "How many events its stream has"]
    customer_id: Annotated[str, "The number of the customer who ordered"]
    customer_name: Annotated[str, "Personal: the customer's name, as it is now"]
    customer_email: Annotated[str | None, "Personal: the e-mail address, as it is now"]
    status: Annotated[str, "pending, paid, shipped, delivered or cancelled"]
    currency: Annotated[str, "As in ISO 4217; most have 100 minor units"]
    lines: Annotated[tuple[Line, ...], "What was ordered"]
    gross: Annotated[int, "The lines' worth before all discounts, in minor units"]
    discount: Annotated[Decimal, "On the whole order: 0.05 is 5 %"]
    total: Annotated[int, "What is to be paid, in minor units; without freight"]
    freight: Annotated[int | None, "What sending it costs, in minor units"]
    paid: Annotated[int, "What came in, in minor units; 0: nothing did"]
    refunded: Annotated[int, "What of it went back, in minor units"]
    address: Annotated[Address, "Personal: where the order is sent"]
    required_date: Annotated[date | None, "The day by which it is needed"]
    tracking_number: Annotated[str | None, "The carrier's number of the parcel"]
    created_at: Annotated[datetime, "When it was placed"]
    paid_at: Annotated[datetime | None, "When the payment was noted"]
    shipped_at: Annotated[datetime | None, "When a carrier got it"]
    delivered_at: Annotated[datetime | None, "When it arrived"]
    cancelled_at: Annotated[datetime | None, "When it was called off"]
    history: Annotated[tuple[HistoryLine, ...], "Its events, oldest first"]


def rename(fact: Fact) -> Update | None:
    match fact.event:
        case CustomerDetailsChanged(name=name, email=email):
            return Update(
                where={"customer_id": fact.subject},
                to={"customer_name": name, "customer_email": email},
            )
        case CustomerForgotten():
            return Update(
                where={"customer_id": fact.subject},
                to={
                    "customer_name": FORGOTTEN,
                    "customer_email": None,
                    "address": FORGOTTEN_ADDRESS,
                },
            )
        case _:
            return None


def fold(
    row: OrderDetailsView | None, fact: Fact, looked_up: LookedUp
) -> OrderDetailsView:
    """Return the row after the event, with the event added to its history."""
    event: events.OrderEvent = fact.event
    if isinstance(event, events.OrderCreated):
        row = new_row(fact, event, looked_up["customers"])
    assert row is not None
    return replace(
        row,
        **changes(row, event, fact.occurred_at),
        status=status_after(Status(row.status), event),
        version=fact.version,
        history=(*row.history, happening(fact)),
    )


def new_row(
    fact: Fact, event: events.OrderCreated, customer: CustomerName
) -> OrderDetailsView:
    return OrderDetailsView(
        order_id=int(fact.subject),
        version=fact.version,
        customer_id=event.customer_id,
        customer_name=customer.name,
        customer_email=customer.email,
        status=Status.NONE,
        currency=event.currency,
        lines=lines_of(event.items),
        gross=sum(item.unit_price * item.quantity for item in event.items),
        discount=event.discount,
        total=event.total,
        freight=event.freight,
        paid=0,
        refunded=0,
        address=event.address,
        required_date=event.required_date,
        tracking_number=None,
        created_at=fact.occurred_at,
        paid_at=None,
        shipped_at=None,
        delivered_at=None,
        cancelled_at=None,
        history=(),
    )


def lines_of(items: Sequence[Item]) -> tuple[Line, ...]:
    amounts = line_amounts((i.unit_price, i.quantity, i.discount) for i in items)
    return tuple(
        Line(
            product=item.product,
            product_id=item.product_id,
            quantity=item.quantity,
            unit_price=item.unit_price,
            discount=item.discount,
            amount=amount,
        )
        for item, amount in zip(items, amounts, strict=True)
    )


def changes(
    row: OrderDetailsView, event: events.OrderEvent, moment: datetime
) -> Mapping[str, Any]:
    """Return the changed fields by name, except status and history."""
    match event:
        case events.PaymentReceived(amount=amount):
            return {"paid_at": moment, "paid": amount}
        case events.OrderShipped(tracking_no=tracking_no):
            return {"shipped_at": moment, "tracking_number": tracking_no}
        case events.DeliveryConfirmed(delivered_at=delivered_at):
            return {"delivered_at": delivered_at}
        case events.OrderCancelled():
            return {"cancelled_at": moment}
        case events.PaymentRefunded(amount=amount):
            return {"refunded": row.refunded + amount}
        case _:
            return {}


def happening(fact: Fact) -> HistoryLine:
    metadata = fact.metadata
    return HistoryLine(
        event=type(fact.event).__name__,
        version=fact.version,
        position=fact.position,
        occurred_at=fact.occurred_at,
        actor=metadata.actor,
        command_id=metadata.command_id,
        causation_id=metadata.causation_id,
        source=metadata.source,
        told=describe_event(fact.event),
    )


def describe_event(event: events.OrderEvent) -> Mapping[str, str | int | None]:
    """Return the fields of an event; of OrderCreated, its total and number of lines."""
    match event:
        case events.OrderCreated(total=total, items=items):
            return {"total": total, "lines": len(items)}
        case events.DeliveryConfirmed(delivered_at=delivered_at):
            return {"delivered_at": delivered_at.isoformat()}
        case _:
            return asdict(event)


projection = Projection(
    name="order_details",
    row=OrderDetailsView,
    key="order_id",
    events=EVENTS,
    key_of=order_of,
    needs=needs_customer,
    fold=fold,
    update=rename,
    lookups=[CUSTOMERS],
    streams=STREAMS,
    forgets=FORGETS,
    upcasters=UPCASTERS,
    personal={**CUSTOMER_FIELDS, events.OrderCreated: ("address",)},
    indexes=[
        Index(name="customer", on="customer_id", is_early=True),
        # For filters over documents: an order by what was ordered.
        Index(name="lines", on="lines jsonb_path_ops", using="gin"),
    ],
    # 2: the amounts of the lines add up to their sum. 3: an index of the lines.
    version=3,
)

view: View[OrderDetailsView] = View.of(
    projection,
    sorts={"order": "order_id"},
)


def find(connection: sa.Connection, order_id: int) -> OrderDetailsView | None:
    """Return the order with that number, or None."""
    rows = view.find(connection, view.table.c.order_id == order_id)
    return rows[0] if rows else None
