"""What was sold: a row an order, as it counts, for sums over many."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from domain.address import Address
from domain.customers.events import CustomerForgotten
from domain.forgotten import FORGOTTEN
from domain.orders import events
from domain.orders.lines import total_of
from domain.orders.upcasters import OF_CREATED
from eventstore.projections.projection import (
    Fact,
    Index,
    LookedUp,
    Projection,
    Update,
)
from eventstore.projections.views import View
from readmodels.order_parts import pieces_of
from readmodels.rows_of_orders import FORGETS, STREAMS, order_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """
    An order as it counts: without what came back, and without its freight.

    It is of the day when it was placed, which depends on the shop's time zone: the row
    has the moment. A cancelled one does not count, but keeps what it was.
    """

    order_id: Annotated[int, "The order's number"]
    customer_id: Annotated[str, "The number of the customer who ordered"]
    country: Annotated[
        str | None,
        "Personal: the country where it is sent; NULL: the customer is forgotten",
    ]
    created_at: Annotated[datetime, "When it was placed"]
    is_cancelled: Annotated[bool, "Whether it was cancelled, and does not count"]
    pieces: Annotated[int, "How many pieces are sold, without those that came back"]
    returned: Annotated[int, "How many pieces came back"]
    amount: Annotated[
        int, "What these cost after all discounts, without freight, in minor units"
    ]


def placed(fact: Fact, event: events.OrderCreated) -> Sale:
    return Sale(
        order_id=int(fact.subject),
        customer_id=event.customer_id,
        country=country_of(event.address),
        created_at=fact.occurred_at,
        is_cancelled=False,
        pieces=sum(line.quantity for line in event.items),
        returned=0,
        amount=total_of(event.items, event.discount),
    )


def country_of(address: Address) -> str | None:
    """Return the country of an address; None once its customer is forgotten."""
    return None if address.country == FORGOTTEN else address.country


def forget(fact: Fact) -> Update | None:
    """Return the change of all sales to a customer who is forgotten."""
    if not isinstance(fact.event, CustomerForgotten):
        return None
    return Update(where={"customer_id": fact.subject}, to={"country": None})


def fold(row: Sale | None, fact: Fact, looked_up: LookedUp) -> Sale:
    """Return the row after the event."""
    event: events.OrderEvent = fact.event
    if isinstance(event, events.OrderCreated):
        return placed(fact, event)
    # The row was made by the order's first event.
    assert row is not None
    match event:
        case events.OrderItemsChanged(items=items, total=total, freight=freight):
            # Lines of which something came back are among them.
            left = sum(line.quantity for line in items) - row.returned
            return replace(row, pieces=left, amount=total - freight)
        case events.OrderReturned(lines=lines, total=total, freight=freight):
            back = pieces_of(lines)
            return replace(
                row,
                pieces=row.pieces - back,
                returned=row.returned + back,
                amount=total - freight,
            )
        case events.ShippingAddressChanged(address=address):
            return replace(row, country=country_of(address))
        case _:
            return replace(row, is_cancelled=True)


projection = Projection(
    name="sales",
    row=Sale,
    key="order_id",
    events=[
        events.OrderCreated,
        events.OrderItemsChanged,
        events.ShippingAddressChanged,
        events.OrderReturned,
        events.OrderCancelled,
        CustomerForgotten,
    ],
    key_of=order_of,
    fold=fold,
    update=forget,
    upcasters=OF_CREATED,
    personal={
        events.OrderCreated: ("address",),
        events.ShippingAddressChanged: ("address",),
    },
    streams=STREAMS,
    forgets=FORGETS,
    indexes=[
        Index(name="customer", on="customer_id", is_early=True),
        Index(name="placed", on="created_at"),
    ],
)

view: View[Sale] = View.of(projection, sorts={"order": "order_id"})
