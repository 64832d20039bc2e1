"""What was sold: a row an order, with its lines as they count, for sums over many."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from domain.address import Address
from domain.customers.events import CustomerForgotten
from domain.forgotten import FORGOTTEN
from domain.money import line_amounts
from domain.orders import events
from domain.orders.lines import Line, by_line
from domain.orders.upcasters import OF_CREATED
from eventstore.projections.projection import (
    Fact,
    Index,
    LookedUp,
    Projection,
    Update,
)
from eventstore.projections.views import View
from readmodels.rows_of_orders import FORGETS, STREAMS, order_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldLine(Line):
    """
    A line of an order, and what is sold of it.

    *returned* pieces came back, and are not in its *amount*, which is in minor units
    after all discounts: the amounts of an order's lines add up to what it costs without
    its freight. *is_first* says that no line before it is of the same product and has a
    piece left, so that an order with two such lines is one order of the product.
    """

    returned: int
    amount: int
    is_first: bool


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
    amount: Annotated[
        int, "What these cost after all discounts, without freight, in minor units"
    ]
    discount: Annotated[Decimal, "On the whole order: 0.05 is 5 %"]
    lines: Annotated[tuple[SoldLine, ...], "Its lines, each with what is sold of it"]


def sold_lines(
    items: Iterable[Line], returned: Mapping[int, int], discount: Decimal
) -> tuple[SoldLine, ...]:
    """
    Return the lines of an order of which pieces are *returned*, by line number.

    *discount* is that on the whole order.
    """
    lines = list(items)
    back = [returned.get(line.number, 0) for line in lines]
    amounts = line_amounts(
        (
            (line.unit_price, line.quantity - some, line.discount)
            for line, some in zip(lines, back, strict=True)
        ),
        discount,
    )
    sold = []
    known = set()
    for line, some, amount in zip(lines, back, amounts, strict=True):
        # A product of the list is known by its number, whatever it was called.
        product = line.product_id, line.product if line.product_id is None else None
        is_first = line.quantity > some and product not in known
        if is_first:
            known.add(product)
        sold.append(
            SoldLine(
                number=line.number,
                product=line.product,
                product_id=line.product_id,
                quantity=line.quantity,
                unit_price=line.unit_price,
                discount=line.discount,
                returned=some,
                amount=amount,
                is_first=is_first,
            )
        )
    return tuple(sold)


def with_lines(row: Sale, lines: tuple[SoldLine, ...], discount: Decimal) -> Sale:
    return replace(
        row,
        lines=lines,
        discount=discount,
        pieces=sum(line.quantity - line.returned for line in lines),
        amount=sum(line.amount for line in lines),
    )


def returned_of(row: Sale) -> dict[int, int]:
    """Return how many pieces came back, by line number."""
    return {line.number: line.returned for line in row.lines}


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
        row = Sale(
            order_id=int(fact.subject),
            customer_id=event.customer_id,
            country=country_of(event.address),
            created_at=fact.occurred_at,
            is_cancelled=False,
            pieces=0,
            amount=0,
            discount=event.discount,
            lines=(),
        )
        lines = sold_lines(event.items, {}, event.discount)
        return with_lines(row, lines, event.discount)
    # The row was made by the order's first event.
    assert row is not None
    match event:
        case events.OrderItemsChanged(items=items, discount=discount):
            lines = sold_lines(items, returned_of(row), discount)
            return with_lines(row, lines, discount)
        case events.OrderReturned(lines=back):
            returned = returned_of(row)
            for number, quantity in by_line(back).items():
                returned[number] = returned.get(number, 0) + quantity
            lines = sold_lines(row.lines, returned, row.discount)
            return with_lines(row, lines, row.discount)
        case events.ShippingAddressChanged(address=address):
            return replace(row, country=country_of(address))
        case _:
            return replace(row, is_cancelled=True)


projection = Projection(
    name="sales",
    row=Sale,
    key="order_id",
    # One row an order: an event of it tells neither the lines that are gone nor the
    # amounts of the others, which change with it.
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
