"""What was sold of each product: a row a line of an order, as it counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from domain.money import line_amounts
from domain.orders.events import (
    OrderCancelled,
    OrderCreated,
    OrderItemsChanged,
    OrderReturned,
)
from domain.orders.lines import Line, by_line
from domain.orders.upcasters import OF_CREATED
from eventstore.projections.projection import (
    Fact,
    Index,
    Key,
    LookedUp,
    Lookup,
    Projection,
)
from eventstore.projections.views import View


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldLine:
    """
    A line of an order of which something is sold: it is not cancelled nor all back.

    The amounts of an order's lines add up to what it costs without freight.
    """

    line: Annotated[str, "The order's number and the line's, like 10248-1"]
    order_id: Annotated[int, "The order's number"]
    created_at: Annotated[datetime, "When the order was placed"]
    product_id: Annotated[
        str | None, "The product's number; NULL: it is not on the price list"
    ]
    product: Annotated[str, "The product's name, as it was ordered"]
    pieces: Annotated[int, "How many are sold, without those that came back"]
    amount: Annotated[
        int, "What these cost after all discounts, without freight, in minor units"
    ]
    is_first: Annotated[
        bool, "Whether no line before it in the order is of the same product"
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftLine:
    """What is sold of the line *number*; *is_first* is as in its row."""

    number: int
    pieces: int
    amount: int
    is_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLines:
    """
    The lines of an order by which its rows are made.

    An event tells neither the lines that are *gone* with it, by their numbers, nor the
    *sold* ones whose amounts change with those of others. *returned* are pieces by line
    number.
    """

    order_id: int
    created_at: datetime
    items: tuple[Line, ...]
    discount: Decimal
    returned: Mapping[int, int]
    is_cancelled: bool = False
    sold: tuple[LeftLine, ...] = ()
    gone: tuple[int, ...] = ()


Told = OrderCreated | OrderItemsChanged | OrderReturned | OrderCancelled
"""The events that tell what is sold of an order."""


def order_of(fact: Fact) -> int:
    return int(fact.subject)


def lines_of(order: OrderLines | None, fact: Fact) -> OrderLines:
    """Return the lines of an order after the event."""
    event: Told = fact.event
    if isinstance(event, OrderCreated):
        return added_up(
            OrderLines(
                order_id=int(fact.subject),
                created_at=fact.occurred_at,
                items=event.items,
                discount=event.discount,
                returned={},
            )
        )
    # It is there since the order's first event.
    assert order is not None
    match event:
        case OrderItemsChanged(items=items, discount=discount):
            return added_up(replace(order, items=items, discount=discount))
        case OrderReturned(lines=lines):
            returned = dict(order.returned)
            for number, quantity in by_line(lines).items():
                returned[number] = returned.get(number, 0) + quantity
            return added_up(replace(order, returned=returned))
        case OrderCancelled():
            return added_up(replace(order, is_cancelled=True))


def added_up(order: OrderLines) -> OrderLines:
    """Return *order* with its sold lines, and those that are it no more."""
    left = [
        (item, item.quantity - order.returned.get(item.number, 0))
        for item in order.items
        if not order.is_cancelled
    ]
    amounts = line_amounts(
        ((item.unit_price, pieces, item.discount) for item, pieces in left),
        order.discount,
    )
    sold = []
    known = set()
    for (item, pieces), amount in zip(left, amounts, strict=True):
        if pieces:
            # A product of the list is known by its number, whatever it was called.
            product = item.product_id, item.product if item.product_id is None else None
            sold.append(
                LeftLine(
                    number=item.number,
                    pieces=pieces,
                    amount=amount,
                    is_first=product not in known,
                )
            )
            known.add(product)
    numbers = {line.number for line in sold}
    before = [line.number for line in order.sold]
    gone = tuple(number for number in before if number not in numbers)
    return replace(order, sold=tuple(sold), gone=gone)


def needs(fact: Fact) -> Mapping[str, Key]:
    return {"orders": int(fact.subject)}


def lines(fact: Fact, looked_up: LookedUp) -> Iterable[Fact]:
    """Split an event into the lines of its order, sold and gone, by their numbers."""
    order: OrderLines = looked_up["orders"]
    numbers = [line.number for line in order.sold]
    return [fact._replace(event=number) for number in (*numbers, *order.gone)]


def line_of(fact: Fact, looked_up: LookedUp) -> str:
    return f"{fact.subject}-{fact.event}"


def fold(row: SoldLine | None, fact: Fact, looked_up: LookedUp) -> SoldLine | None:
    """Return the row of a line, or None if nothing of it is sold."""
    order: OrderLines = looked_up["orders"]
    sold = next((line for line in order.sold if line.number == fact.event), None)
    if sold is None:
        return None
    item = next(item for item in order.items if item.number == sold.number)
    return SoldLine(
        line=line_of(fact, looked_up),
        order_id=order.order_id,
        created_at=order.created_at,
        product_id=item.product_id,
        product=item.product,
        pieces=sold.pieces,
        amount=sold.amount,
        is_first=sold.is_first,
    )


projection = Projection(
    name="sold_lines",
    row=SoldLine,
    key="line",
    streams={"order_id": "order"},
    events=[OrderCreated, OrderItemsChanged, OrderReturned, OrderCancelled],
    needs=needs,
    parts=lines,
    key_of=line_of,
    fold=fold,
    upcasters=OF_CREATED,
    personal={},
    lookups=[
        Lookup(
            name="orders",
            row=OrderLines,
            key="order_id",
            key_of=order_of,
            fold=lines_of,
            category="order",
        )
    ],
    indexes=[Index(name="placed", on="created_at")],
)

view: View[SoldLine] = View.of(projection, sorts={"line": "line"})
