"""The list of orders: a row for each order with customer, total and status."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

import sqlalchemy as sa

from domain.customers.events import (
    CustomerDetails,
    CustomerDetailsChanged,
    CustomerForgotten,
)
from domain.forgotten import FORGOTTEN
from domain.orders.events import OrderCreated, OrderEvent, OrderShipped
from domain.orders.status import Status, status_after
from domain.orders.upcasters import UPCASTERS
from eventstore.projections.projection import (
    Fact,
    Index,
    LookedUp,
    Lookup,
    Projection,
    Update,
)
from eventstore.projections.views import Page, View
from readmodels.known_words import index_of
from readmodels.parts_of_words import words_that_hold
from readmodels.row_words import (
    joined,
    words_of_customer,
    words_of_forgotten,
    words_of_order,
    words_of_place,
)
from readmodels.rows_of_orders import (
    EVENTS,
    FORGETS,
    STREAMS,
    customer_of,
    needs_customer,
    order_of,
)
from readmodels.searching import find_page
from readmodels.words import words

MAX_PRODUCTS = 20
"""How many products a line names; it is found by those behind them, too."""


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
    city: Annotated[str | None, "Personal: the city where the order is sent"]
    products: Annotated[tuple[str, ...], "The names of its first products, each once"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSummaryRow(OrderSummaryView):
    """
    A line as it is kept, with the words by which the search finds it.

    The customer's part changes with the customer.
    """

    customer_words: Annotated[str, "Personal: what the search knows the customer by"]
    place_words: Annotated[str, "Personal: what the search knows the place by"]
    order_words: Annotated[str, "What the search knows the order by"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerOnList:
    """What the lines say of their customer, and the words by which it is found."""

    customer_id: str
    name: str
    email: str | None
    words: str


def customer_on_list(row: CustomerOnList | None, fact: Fact) -> CustomerOnList:
    if isinstance(fact.event, CustomerForgotten):
        return CustomerOnList(
            customer_id=fact.subject,
            name=FORGOTTEN,
            email=None,
            words=words_of_forgotten(fact.subject),
        )
    event: CustomerDetails = fact.event
    return CustomerOnList(
        customer_id=fact.subject,
        name=event.name,
        email=event.email,
        words=words_of_customer(fact.subject, event),
    )


def rename(fact: Fact) -> Update | None:
    """Return the change of all lines of a customer renamed or forgotten."""
    match fact.event:
        case CustomerForgotten():
            return Update(
                where={"customer_id": fact.subject},
                to={
                    "customer_name": FORGOTTEN,
                    "customer_email": None,
                    "customer_words": words_of_forgotten(fact.subject),
                    "city": None,
                    "place_words": "",
                },
            )
        case CustomerDetailsChanged() as details:
            return Update(
                where={"customer_id": fact.subject},
                to={
                    "customer_name": details.name,
                    "customer_email": details.email,
                    "customer_words": words_of_customer(fact.subject, details),
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
            # Before the others, which may be so many that some are cut off.
            order_words=joined(words(fact.subject, event.tracking_no), row.order_words),
        )
    return row


def new_row(
    fact: Fact, event: OrderCreated, customer: CustomerOnList
) -> OrderSummaryRow:
    products = tuple(dict.fromkeys(item.product for item in event.items))
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
        # None is what is left of it once the customer is forgotten.
        city=None if event.address.city == FORGOTTEN else event.address.city,
        products=products[:MAX_PRODUCTS],
        customer_words=customer.words,
        place_words=words_of_place(event.address),
        order_words=words_of_order(fact.subject, products),
    )


# Of a forgotten customer no place is left, and a word is never empty.
SEARCHED = "rtrim(customer_words || ' ' || order_words || ' ' || place_words)"

CUSTOMERS = Lookup(
    name="customers",
    row=CustomerOnList,
    key="customer_id",
    key_of=customer_of,
    fold=customer_on_list,
    category="customer",
)

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
    personal={
        CustomerDetails: ("name", "email", "contact_name", "phone"),
        OrderCreated: ("address",),
    },
    streams=STREAMS,
    forgets=FORGETS,
    # 2: words are folded in other ways. 3: places, products, telephone numbers.
    version=3,
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

    *search* finds words of the customer's name, number, e-mail and contact, of the
    products, of city and country, the order's number, the tracking number and the
    telephone number; the order whose number it is comes first, and what is only like it
    last, as `find_page` says. Raises BadCursor for an *after* that is no page's
    `following`.
    """
    columns = view.table.c
    where = []
    if status is not None:
        where.append(columns.status == status)
    if customer_id is not None:
        where.append(columns.customer_id == customer_id)
    if search is None:
        return view.page(connection, *where, sort=sort, after=after, limit=limit)
    number = number_in(search)
    return find_page(
        view,
        connection,
        *where,
        expression=SEARCHED,
        asked=search,
        parts=words_that_hold,
        first=None if number is None else columns.order_id == number,
        sort=sort,
        after=after,
        limit=limit,
    )


def number_in(search: str) -> int | None:
    """Return the number of an order that *search* is, or None."""
    found = re.fullmatch(r"\s*#?\s*([0-9]{1,18})\s*", search, re.ASCII)
    return int(found[1]) if found else None


def numbers_of(connection: sa.Connection, customer_id: str) -> list[int]:
    """Return the numbers of all orders of a customer."""
    columns = view.table.c
    rows = connection.scalars(
        sa.select(columns.order_id).where(columns.customer_id == customer_id)
    )
    return list(rows)
