"""The list of orders: a row for each order with customer, total and status."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any

import sqlalchemy as sa

from domain.address import Address
from domain.customers.events import (
    CustomerDetails,
    CustomerDetailsChanged,
    CustomerForgotten,
)
from domain.forgotten import FORGOTTEN
from domain.orders import events
from domain.orders.events import OrderEvent
from domain.orders.lines import Line
from domain.orders.standing import standing_after
from domain.orders.status import Status
from domain.orders.upcasters import UPCASTERS
from eventstore.projections.projection import (
    Fact,
    Index,
    LookedUp,
    Projection,
    Update,
)
from eventstore.projections.views import Page, View
from readmodels.customer_on_list import CUSTOMERS, CustomerOnList
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
    NO_STANDING,
    STREAMS,
    columns_of,
    needs_customer,
    order_of,
    standing_of,
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
    total: Annotated[int, "What the order costs, freight included, in minor units"]
    due: Annotated[int, "What of it is still to be paid, in minor units"]
    credit: Annotated[int, "What was paid and can be refunded, in minor units"]
    currency: Annotated[str, "As in ISO 4217; most have 100 minor units"]
    status: Annotated[
        str,
        "The last of pending, paid, shipped, delivered, returned, cancelled",
    ]
    item_count: Annotated[int, "How many lines the order has"]
    parcels: Annotated[int, "How many parcels of it were shipped"]
    tracking_number: Annotated[str | None, "The carrier's number of the last parcel"]
    created_at: Annotated[datetime, "When it was placed"]
    terms: Annotated[int | None, "Days to pay it from then; NULL: before it is shipped"]
    required_date: Annotated[date | None, "The day by which it is needed"]
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
    tracking_numbers: Annotated[tuple[str | None, ...], "The carrier's, by parcel"]
    paid: Annotated[int, "What came in, in minor units"]
    refunded: Annotated[int, "What of it went back, in minor units"]


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
    if isinstance(event, events.OrderCreated):
        row = new_row(fact, event, looked_up["customers"])
    # The line was made by the order's first event.
    assert row is not None
    standing = standing_after(standing_of(row), event)
    return replace(row, **columns_of(standing), **changes(row, event))


def changes(row: OrderSummaryRow, event: OrderEvent) -> Mapping[str, Any]:
    """Return the changed columns by name, except those of the order's standing."""
    match event:
        case events.OrderItemsChanged(items=items):
            products = products_of(items)
            return {
                "item_count": len(items),
                "products": products[:MAX_PRODUCTS],
                "order_words": order_words(row, products, row.tracking_numbers),
            }
        case events.ParcelShipped(tracking_no=number):
            return with_numbers(row, (*row.tracking_numbers, number))
        case events.OrderShipped(tracking_no=number):
            return with_numbers(row, (*row.tracking_numbers, number))
        case events.TrackingCorrected(parcel=parcel, tracking_no=number):
            numbers = list(row.tracking_numbers)
            wrong, numbers[parcel - 1] = numbers[parcel - 1], number
            # But for those that a product has, too.
            others = words_of_order("", row.products).split()
            gone = {*words(wrong).split()}.difference(others)
            return with_numbers(row, tuple(numbers), but=gone)
        case events.ShippingAddressChanged(address=address):
            return place_of(address)
        case _:
            return {}


def with_numbers(
    row: OrderSummaryRow,
    numbers: tuple[str | None, ...],
    *,
    but: Collection[str] = (),
) -> Mapping[str, Any]:
    """
    Return the columns that change with the tracking numbers.

    The order is found no more by the words *but*.
    """
    # The words of more products than the row names are in the old ones.
    kept = " ".join(word for word in row.order_words.split() if word not in but)
    return {
        "parcels": len(numbers),
        "tracking_number": numbers[-1],
        "tracking_numbers": numbers,
        "order_words": joined(words(str(row.order_id), *numbers), kept),
    }


def order_words(
    row: OrderSummaryRow, products: Iterable[str], numbers: Iterable[str | None]
) -> str:
    """Return the words of an order; the first ones stay if they are too many."""
    number = str(row.order_id)
    return joined(words(number, *numbers), words_of_order(number, products))


def products_of(items: Iterable[Line]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.product for line in items))


def place_of(address: Address) -> Mapping[str, Any]:
    """Return the columns about where the order goes."""
    return {
        # None is what is left of it once the customer is forgotten.
        "city": None if address.city == FORGOTTEN else address.city,
        "place_words": words_of_place(address),
    }


def new_row(
    fact: Fact, event: events.OrderCreated, customer: CustomerOnList
) -> OrderSummaryRow:
    products = products_of(event.items)
    return OrderSummaryRow(
        order_id=int(fact.subject),
        customer_id=event.customer_id,
        customer_name=customer.name,
        customer_email=customer.email,
        **columns_of(NO_STANDING),
        currency=event.currency,
        item_count=len(event.items),
        parcels=0,
        tracking_number=None,
        tracking_numbers=(),
        created_at=fact.occurred_at,
        terms=event.terms,
        required_date=event.required_date,
        **place_of(event.address),
        products=products[:MAX_PRODUCTS],
        customer_words=customer.words,
        order_words=words_of_order(fact.subject, products),
    )


# Of a forgotten customer no place is left, and a word is never empty.
SEARCHED = "rtrim(customer_words || ' ' || order_words || ' ' || place_words)"

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
        events.OrderCreated: ("address",),
        events.ShippingAddressChanged: ("address",),
    },
    streams=STREAMS,
    forgets=FORGETS,
    # 2: words are folded in other ways. 3: places, products, telephone numbers.
    # 4: parts of payments, parcels, returns, changes of an order.
    version=4,
    indexes=[
        Index(name="customer", on="customer_id, order_id", is_early=True),
        Index(name="status", on="status, order_id"),
        Index(name="placed", on="created_at, order_id"),
        Index(name="total", on="total, order_id"),
        Index(name="name", on="customer_words, order_id"),
        Index(name="words", on=index_of(SEARCHED), using="gin"),
    ],
)

OVER = (Status.DELIVERED.value, Status.RETURNED.value, Status.CANCELLED.value)
"""The statuses of an order to which no more need happen but payments."""
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


def numbers_under_way(connection: sa.Connection, customer_id: str) -> list[int]:
    """Return the numbers of a customer's orders that are not over, or not settled."""
    columns = view.table.c
    is_over = columns.status.in_(OVER)
    rows = connection.scalars(
        sa.select(columns.order_id)
        .where(
            columns.customer_id == customer_id,
            sa.or_(~is_over, columns.due > 0, columns.credit > 0),
        )
        .order_by(columns.order_id)
    )
    return list(rows)


def numbers_of(connection: sa.Connection, customer_id: str) -> list[int]:
    """Return the numbers of all orders of a customer."""
    columns = view.table.c
    rows = connection.scalars(
        sa.select(columns.order_id).where(columns.customer_id == customer_id)
    )
    return list(rows)
