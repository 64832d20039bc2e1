"""The products that were ordered so far, by name: those of the list, and free lines."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

import sqlalchemy as sa

from domain.orders.events import OrderCreated
from domain.orders.lines import Line
from domain.orders.upcasters import OF_CREATED
from eventstore.projections.projection import (
    Fact,
    Index,
    LookedUp,
    Projection,
)
from eventstore.projections.views import Page, View


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedProduct:
    """A product as it was ordered last; *unit_price* is in minor units."""

    product: Annotated[str, "The product's name, by which it is known"]
    product_id: Annotated[str | None, "Its number, as it was ordered last"]
    unit_price: Annotated[int, "What one cost when it was ordered last, in minor units"]
    times_ordered: Annotated[int, "How many lines of orders were of it"]
    last_ordered_at: Annotated[datetime, "When it was ordered last"]


def lines(fact: Fact, looked_up: LookedUp) -> Iterable[Fact]:
    """Split an order into its lines: each is about a product of its own."""
    order: OrderCreated = fact.event
    return [fact._replace(event=line) for line in order.items]


def product_of(fact: Fact, looked_up: LookedUp) -> str:
    line: Line = fact.event
    return line.product


def fold(row: OrderedProduct | None, fact: Fact, looked_up: LookedUp) -> OrderedProduct:
    """
    Return the product after one more line: the one of the latest day has its price.

    An import may bring a line of ten years ago after one of today.
    """
    line: Line = fact.event
    times = 1 if row is None else row.times_ordered + 1
    if row is not None and row.last_ordered_at > fact.occurred_at:
        return replace(row, times_ordered=times)
    return OrderedProduct(
        product=line.product,
        product_id=line.product_id,
        unit_price=line.unit_price,
        times_ordered=times,
        last_ordered_at=fact.occurred_at,
    )


projection = Projection(
    name="ordered_products",
    row=OrderedProduct,
    key="product",
    events=[OrderCreated],
    parts=lines,
    upcasters=OF_CREATED,
    personal={},
    key_of=product_of,
    fold=fold,
    indexes=[Index(name="times", on="times_ordered, product")],
)

view: View[OrderedProduct] = View.of(
    projection,
    sorts={"product": "product", "times": "times_ordered"},
)


def find(
    connection: sa.Connection,
    *,
    sort: str = "product",
    after: str | None = None,
    limit: int = 50,
) -> Page[OrderedProduct]:
    """Return a page of products. Raises BadCursor for an invalid cursor."""
    return view.page(connection, sort=sort, after=after, limit=limit)
