"""One order in full: lines, totals, address and history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import sqlalchemy as sa

from domain.address import Address
from domain.customers.events import CustomerDetailsChanged, CustomerForgotten
from domain.forgotten import FORGOTTEN, FORGOTTEN_ADDRESS
from domain.orders import events
from domain.orders.lines import by_line
from domain.orders.standing import standing_after
from domain.orders.upcasters import UPCASTERS
from eventstore.projections.projection import (
    Fact,
    Index,
    LookedUp,
    Projection,
    Update,
)
from eventstore.projections.views import View
from readmodels.order_parts import (
    HistoryLine,
    Line,
    NoteLine,
    Parcel,
    Payment,
    correct,
    gross_of,
    happening,
    last_paid,
    lines_of,
    ship,
    with_amounts,
    without,
)
from readmodels.rows_of_orders import (
    CUSTOMER_FIELDS,
    CUSTOMERS,
    EVENTS,
    FORGETS,
    NO_STANDING,
    STREAMS,
    CustomerName,
    columns_of,
    needs_customer,
    order_of,
    standing_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDetailsView:
    """
    An order; amounts are in minor units of *currency*.

    *gross* is the lines' worth before discounts, as they were ordered; *total* is what
    the order costs: its lines without what came back, after their discounts and the
    *discount* on the whole order, and its *freight*. *paid* is what came in and was not
    voided, and *refunded* what of it went back. At any time the total (0 once it is
    cancelled) is paid - refunded + due - credit. *version* is the stream's, for a
    command that expects it.
    """

    order_id: Annotated[int, "The order's number"]
    version: Annotated[int, "How many events its stream has"]
    customer_id: Annotated[str, "The number of the customer who ordered"]
    customer_name: Annotated[str, "Personal: the customer's name, as it is now"]
    customer_email: Annotated[str | None, "Personal: the e-mail address, as it is now"]
    status: Annotated[
        str,
        "The last of pending, paid, shipped, delivered, returned, cancelled",
    ]
    currency: Annotated[str, "As in ISO 4217; most have 100 minor units"]
    lines: Annotated[tuple[Line, ...], "What was ordered"]
    gross: Annotated[int, "The lines' worth before all discounts, in minor units"]
    discount: Annotated[Decimal, "On the whole order: 0.05 is 5 %"]
    freight: Annotated[int, "What of the total is for sending it, in minor units"]
    total: Annotated[int, "What it costs, freight included, in minor units"]
    carriage: Annotated[
        int | None, "What sending it cost where nobody was asked for it, in minor units"
    ]
    paid: Annotated[int, "What came in, in minor units; 0: nothing did"]
    refunded: Annotated[int, "What of it went back, in minor units"]
    due: Annotated[int, "What is still to be paid, in minor units"]
    credit: Annotated[int, "What was paid and can be refunded, in minor units"]
    terms: Annotated[int | None, "Days to pay it; NULL: before it is shipped"]
    payments: Annotated[tuple[Payment, ...], "Its payments, voided ones too"]
    address: Annotated[Address, "Personal: where the order is sent"]
    required_date: Annotated[date | None, "The day by which it is needed"]
    put_off_until: Annotated[
        date | None, "Until when it is not cancelled for being unpaid, if that was said"
    ]
    parcels: Annotated[tuple[Parcel, ...], "Its parcels, in the order of shipping"]
    tracking_number: Annotated[str | None, "The carrier's number of the last parcel"]
    notes: Annotated[tuple[NoteLine, ...], "Personal: what colleagues noted"]
    created_at: Annotated[datetime, "When it was placed"]
    paid_at: Annotated[datetime | None, "When the last payment that counts was noted"]
    shipped_at: Annotated[datetime | None, "When a carrier got its last parcel so far"]
    delivered_at: Annotated[datetime | None, "When it arrived"]
    returned_at: Annotated[datetime | None, "When something came back last"]
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
                    "notes": (),
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
        **columns_of(standing_after(standing_of(row), event)),
        **changes(row, event, fact),
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
        **columns_of(NO_STANDING),
        currency=event.currency,
        lines=lines_of(event.items),
        gross=gross_of(event.items),
        discount=event.discount,
        freight=event.freight,
        carriage=event.carriage,
        terms=event.terms,
        payments=(),
        address=event.address,
        required_date=event.required_date,
        put_off_until=None,
        parcels=(),
        tracking_number=None,
        notes=(),
        created_at=fact.occurred_at,
        paid_at=None,
        shipped_at=None,
        delivered_at=None,
        returned_at=None,
        cancelled_at=None,
        history=(),
    )


def changes(
    row: OrderDetailsView, event: events.OrderEvent, fact: Fact
) -> Mapping[str, Any]:
    """Return the changed columns by name, except the order's standing and history."""
    moment = fact.occurred_at
    match event:
        case events.OrderItemsChanged():
            return {
                "lines": lines_of(event.items, row.lines),
                "gross": gross_of(event.items),
                "discount": event.discount,
                "freight": event.freight,
            }
        case events.ShippingAddressChanged(address=address):
            return {"address": address}
        case events.PaymentReceived(payment=payment, amount=amount):
            paid = Payment(payment=payment, amount=amount, received_at=moment)
            return {"paid_at": moment, "payments": (*row.payments, paid)}
        case events.PaymentVoided(payment=payment):
            payments = without(row.payments, payment, moment)
            return {"paid_at": last_paid(payments), "payments": payments}
        case events.ParcelShipped() | events.OrderShipped():
            lines, parcel = ship(row.lines, len(row.parcels) + 1, event, moment)
            return {
                "lines": lines,
                "parcels": (*row.parcels, parcel),
                "tracking_number": event.tracking_no,
                "shipped_at": moment,
            }
        case events.TrackingCorrected():
            parcels = correct(row.parcels, event)
            last = parcels[-1].tracking_number if parcels else None
            return {"parcels": parcels, "tracking_number": last}
        case events.DeliveryConfirmed(delivered_at=delivered_at):
            return {"delivered_at": delivered_at}
        case events.OrderReturned(freight=freight, lines=returned):
            found = by_line(returned)
            return {
                "freight": freight,
                "returned_at": moment,
                "lines": with_amounts(
                    replace(line, returned=line.returned + found.get(line.number, 0))
                    for line in row.lines
                ),
            }
        case events.OrderCancelled():
            return {"cancelled_at": moment}
        case events.CancellationPutOff(until=until):
            return {"put_off_until": until}
        case events.NoteAdded(text=text):
            note = NoteLine(
                version=fact.version,
                text=text,
                actor=fact.metadata.actor,
                added_at=moment,
            )
            return {"notes": (*row.notes, note)}
        case _:
            return {}


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
    personal={
        **CUSTOMER_FIELDS,
        events.OrderCreated: ("address",),
        events.ShippingAddressChanged: ("address",),
        events.NoteAdded: ("text",),
    },
    indexes=[
        Index(name="customer", on="customer_id", is_early=True),
        # For filters over documents: an order by what was ordered.
        Index(name="lines", on="lines jsonb_path_ops", using="gin"),
    ],
    # 2: the amounts of the lines add up to their sum. 3: an index of the lines.
    # 4: what is due, payments, parcels, returns, notes.
    version=4,
)

view: View[OrderDetailsView] = View.of(
    projection,
    sorts={"order": "order_id"},
)


def find_many(
    connection: sa.Connection, order_ids: Sequence[int]
) -> list[OrderDetailsView]:
    """Return the orders with these numbers that there are, by number."""
    rows = view.find(connection, view.table.c.order_id.in_(order_ids))
    return sorted(rows, key=lambda order: order.order_id)


def find(connection: sa.Connection, order_id: int) -> OrderDetailsView | None:
    """Return the order with that number, or None."""
    rows = view.find(connection, view.table.c.order_id == order_id)
    return rows[0] if rows else None
