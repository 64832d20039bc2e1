"""The sums over all orders: a single row, so that nobody adds them up to see them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated

import sqlalchemy as sa

from domain.orders.events import (
    OrderCancelled,
    OrderCreated,
    OrderItemsChanged,
    OrderReturned,
    OrderShipped,
)
from domain.orders.upcasters import OF_CREATED
from eventstore.projections.projection import Fact, Key, LookedUp, Lookup, Projection
from eventstore.projections.views import View
from readmodels.order_parts import gross_of

ALL_ORDERS = "orders"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All orders in sum, the cancelled ones too; *not_shipped* are those that wait."""

    orders: Annotated[int, "How many orders there are, cancelled ones too"] = 0
    gross: Annotated[
        int, "The lines' worth of all orders before discounts, in minor units"
    ] = 0
    total: Annotated[
        int, "What all orders cost, after discounts and with freight, in minor units"
    ] = 0
    freight: Annotated[
        int, "The freight of all orders, in their total or only noted, in minor units"
    ] = 0
    not_shipped: Annotated[int, "How many orders are neither shipped nor cancelled"] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresRow(Figures):
    """The figures as they are kept."""

    scope: Annotated[str, "What is added up: `orders`, which is all orders"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSums:
    """
    What an order adds to the figures, and by how much its last event did.

    *freight* is that in its total: its carriage stays, whatever is changed.
    """

    order_id: int
    gross: int = 0
    total: int = 0
    freight: int = 0
    gross_change: int = 0
    total_change: int = 0
    freight_change: int = 0


Priced = OrderCreated | OrderItemsChanged | OrderReturned
"""The events that tell what an order costs."""


def order_of(fact: Fact) -> int | None:
    return int(fact.subject) if isinstance(fact.event, Priced) else None


def sums_of(row: OrderSums | None, fact: Fact) -> OrderSums:
    event: Priced = fact.event
    if isinstance(event, OrderCreated):
        gross = gross_of(event.items)
        return OrderSums(
            order_id=int(fact.subject),
            gross=gross,
            total=event.total,
            freight=event.freight,
            gross_change=gross,
            total_change=event.total,
            freight_change=event.freight + (event.carriage or 0),
        )
    assert row is not None
    # As it was ordered: what comes back is worth nothing, but was.
    gross = row.gross
    if isinstance(event, OrderItemsChanged):
        gross = gross_of(event.items)
    return OrderSums(
        order_id=row.order_id,
        gross=gross,
        total=event.total,
        freight=event.freight,
        gross_change=gross - row.gross,
        total_change=event.total - row.total,
        freight_change=event.freight - row.freight,
    )


def needs(fact: Fact) -> Mapping[str, Key]:
    return {"order": int(fact.subject)} if isinstance(fact.event, Priced) else {}


def key_of(fact: Fact, looked_up: LookedUp) -> str:
    return ALL_ORDERS


def fold(row: FiguresRow | None, fact: Fact, looked_up: LookedUp) -> FiguresRow:
    """
    Return the sums after the event.

    An order leaves those that wait once: it is shipped or cancelled, and never both.
    """
    row = row or FiguresRow(scope=ALL_ORDERS)
    match fact.event:
        case OrderCreated():
            return with_sums(row, looked_up["order"], orders=1, waiting=1)
        case OrderItemsChanged(is_shipped=is_shipped):
            return with_sums(row, looked_up["order"], waiting=-is_shipped)
        case OrderReturned():
            return with_sums(row, looked_up["order"])
        case _:
            return replace(row, not_shipped=row.not_shipped - 1)


def with_sums(
    row: FiguresRow, order: OrderSums, *, orders: int = 0, waiting: int = 0
) -> FiguresRow:
    """Return the figures with the last change of an order, and so many more orders."""
    return replace(
        row,
        orders=row.orders + orders,
        gross=row.gross + order.gross_change,
        total=row.total + order.total_change,
        freight=row.freight + order.freight_change,
        not_shipped=row.not_shipped + waiting,
    )


projection = Projection(
    name="figures",
    row=FiguresRow,
    key="scope",
    events=[
        OrderCreated,
        OrderItemsChanged,
        OrderReturned,
        OrderShipped,
        OrderCancelled,
    ],
    key_of=key_of,
    needs=needs,
    fold=fold,
    upcasters=OF_CREATED,
    personal={},
    lookups=[
        Lookup(
            name="order",
            row=OrderSums,
            key="order_id",
            key_of=order_of,
            fold=sums_of,
            category="order",
        )
    ],
    # 2: orders whose lines change, and what comes back.
    version=2,
)

view: View[Figures] = View.of(projection, sorts={"scope": "scope"}, row=Figures)


def find(connection: sa.Connection) -> Figures:
    """Return the sums over all orders; without orders all are 0."""
    rows = view.find(connection, view.table.c.scope == ALL_ORDERS)
    return rows[0] if rows else Figures()
