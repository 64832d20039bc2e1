"""The sums over all orders: a single row, so that nobody adds them up to see them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

import sqlalchemy as sa

from domain.orders.events import OrderCancelled, OrderCreated, OrderShipped
from domain.orders.upcasters import UPCASTERS
from eventstore.projections.projection import Fact, LookedUp, Projection
from eventstore.projections.views import View

ALL_ORDERS = "orders"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All orders in sum, the cancelled ones too; *not_shipped* are those that wait."""

    orders: Annotated[int, "How many orders there are, cancelled ones too"] = 0
    gross: Annotated[
        int, "The lines' worth of all orders before discounts, in minor units"
    ] = 0
    total: Annotated[
        int, "The worth of all orders after all discounts, in minor units"
    ] = 0
    freight: Annotated[int, "The freight of all orders, in minor units"] = 0
    not_shipped: Annotated[
        int, "How many orders are neither shipped, delivered nor cancelled"
    ] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FiguresRow(Figures):
    """The figures as they are kept."""

    scope: Annotated[str, "What is added up: `orders`, which is all orders"]


def key_of(fact: Fact, looked_up: LookedUp) -> str:
    return ALL_ORDERS


def fold(row: FiguresRow | None, fact: Fact, looked_up: LookedUp) -> FiguresRow:
    """
    Return the sums after the event.

    An order leaves those that wait once: it is shipped or cancelled, and never both.
    """
    row = row or FiguresRow(scope=ALL_ORDERS)
    match fact.event:
        case OrderCreated() as event:
            return replace(row, **sums_with(row, event))
        case _:
            return replace(row, not_shipped=row.not_shipped - 1)


def sums_with(row: FiguresRow, event: OrderCreated) -> Mapping[str, Any]:
    """Return the figures by name, with one more order."""
    gross = sum(item.unit_price * item.quantity for item in event.items)
    return {
        "orders": row.orders + 1,
        "gross": row.gross + gross,
        "total": row.total + event.total,
        "freight": row.freight + (event.freight or 0),
        "not_shipped": row.not_shipped + 1,
    }


projection = Projection(
    name="figures",
    row=FiguresRow,
    key="scope",
    events=[OrderCreated, OrderShipped, OrderCancelled],
    key_of=key_of,
    fold=fold,
    upcasters=UPCASTERS,
    personal={},
)

view: View[Figures] = View.of(projection, sorts={"scope": "scope"}, row=Figures)


def find(connection: sa.Connection) -> Figures:
    """Return the sums over all orders; without orders all are 0."""
    rows = view.find(connection, view.table.c.scope == ALL_ORDERS)
    return rows[0] if rows else Figures()
