"""The list of orders: a row for each order with customer, total and status."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

import sqlalchemy as sa

from domain.customers.events import CustomerDetailsChanged, CustomerForgotten
from domain.forgotten import FORGOTTEN
from domain.orders.events import OrderCreated, OrderEvent, OrderShipped
from domain.orders.status import Status, status_after
from domain.orders.upcasters import UPCASTERS
from eventstore.projections.projection import (
    Fact,
    Index,
    LookedUp,
    Projection,
    Update,
)
from eventstore.projections.views import Page, View
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
from readmodels.words import index_of, search_for, words


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSummaryView:
    """A line of the list; *total* is in minor units of *currency*."""

    order_id: Annotated[int, "The order's number"]
    customer_id: Annotated[str, "The number of the customer who ordered"]
    customer_name: Annotated[str, "Personal: the customer's name, as it is now"]
    customer_email: Annotated[str | None, "Personal: the e-mail address, as it is now"]
    total: Annotated[int, "What the order costs, after all discounts, in minor units"]
    currency: Annotated[str, "As in ISO 4217; most have 100 minor units"]
    status: Annotated[str, "pending, paid, shipped, delivered or cancelled"]
    item_count: Annotated[int, "How many lines the order has"]
    tracking_number: Annotated[str | None, "The carrier's number of the parcel"]
    created_at: Annotated[datetime, "When it was placed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSummaryRow(OrderSummaryView):
    """
    A line as it is kept, with the words by which the search finds it.

    The customer's part changes with the customer.
    """

    customer_words: Annotated[str, "Personal: what the search knows the customer by"]
    order_words: Annotated[str, "What the search knows the order by"]


def rename(fact: Fact) -> Update | None:
    """Return the change of all lines of a customer renamed or forgotten."""
    match fact.event:
        case CustomerForgotten():
            return Update(
                where={"customer_id": fact.subject},
                to={
                    "customer_name": FORGOTTEN,
                    "customer_email": None,
                    "customer_words": words(FORGOTTEN, fact.subject),
                },
            )
        case CustomerDetailsChanged(name=name, email=email):
            return Update(
                where={"customer_id": fact.subject},
                to={
                    "customer_name": name,
                    "customer_email": email,
                    "customer_words": words(name, fact.subject, email),
                },
            )
        case _:
            return None


def fold(
    row: OrderSummaryRow | None, fact: Fact, looked_up: LookedUp
) -> OrderSummaryRow:
    """Return the row after the event."""
    event: OrderEvent = fact.event
    if isinstance(event, OrderCreated):
        return new_row(fact, event, looked_up["customers"])
    # The line was made by the order's first event.
    assert row is not None
    row = replace(row, status=status_after(Status(row.status), event))
    if isinstance(event, OrderShipped):
        row = replace(
            row,
            tracking_number=event.tracking_no,
            order_words=words(fact.subject, event.tracking_no),
        )
    return row


def new_row(fact: Fact, event: OrderCreated, customer: CustomerName) -> OrderSummaryRow:
    return OrderSummaryRow(
        order_id=int(fact.subject),
        customer_id=event.customer_id,
        customer_name=customer.name,
        customer_email=customer.email,
        total=event.total,
        currency=event.currency,
        status=status_after(Status.NONE, event),
        item_count=len(event.items),
        tracking_number=None,
        created_at=fact.occurred_at,
        customer_words=words(customer.name, customer.customer_id, customer.email),
        order_words=words(fact.subject),
    )


SEARCHED = "customer_words || ' ' || order_words"

projection = Projection(
    name="order_list",
    row=OrderSummaryRow,
    key="order_id",
    events=EVENTS,
    key_of=order_of,
    needs=needs_customer,
    fold=fold,
    update=rename,
    lookups=[CUSTOMERS],
    upcasters=UPCASTERS,
    personal=CUSTOMER_FIELDS,
    streams=STREAMS,
    forgets=FORGETS,
    # 2: words are folded in other ways.
    version=2,
    indexes=[
        Index(name="customer", on="customer_id, order_id", is_early=True),
        Index(name="status", on="status, order_id"),
        Index(name="placed", on="created_at, order_id"),
        Index(name="total", on="total, order_id"),
        Index(name="name", on="customer_words, order_id"),
        Index(name="words", on=index_of(SEARCHED), using="gin"),
    ],
)

STATUSES = tuple(status.value for status in Status if status is not Status.NONE)

view: View[OrderSummaryView] = View.of(
    projection,
    sorts={
        "order": "order_id",
        "placed": "created_at",
        "total": "total",
        "customer": "customer_words",
    },
    row=OrderSummaryView,
)


def find(
    connection: sa.Connection,
    *,
    status: str | None = None,
    customer_id: str | None = None,
    search: str | None = None,
    sort: str = "-placed",
    after: str | None = None,
    limit: int = 50,
) -> Page[OrderSummaryView]:
    """
    Return a page of the list.

    *search* finds words of the customer's name, number or e-mail, the order's number
    and the tracking number, by their beginnings; the order whose number it is comes
    first. Raises BadCursor for an *after* that is no page's `following`.
    """
    columns = view.table.c
    where = []
    if status is not None:
        where.append(columns.status == status)
    if customer_id is not None:
        where.append(columns.customer_id == customer_id)
    number = number_in(search)
    return view.page(
        connection,
        *where,
        sort=sort,
        after=after,
        limit=limit,
        search=None if search is None else search_for(SEARCHED, search),
        first=None if number is None else columns.order_id == number,
    )


def number_in(search: str | None) -> int | None:
    """Return the number of an order that *search* is, or None."""
    found = re.fullmatch(r"\s*#?\s*([0-9]{1,18})\s*", search or "", re.ASCII)
    return int(found[1]) if found else None


def numbers_of(connection: sa.Connection, customer_id: str) -> list[int]:
    """Return the numbers of all orders of a customer."""
    columns = view.table.c
    rows = connection.scalars(
        sa.select(columns.order_id).where(columns.customer_id == customer_id)
    )
    return list(rows)
