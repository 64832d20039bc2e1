"""The list of orders: a row for each order with customer, total and status."""

import re
from dataclasses import replace
from datetime import date

import sqlalchemy as sa

from domain.customers.events import (
    CustomerDetails,
    CustomerDetailsChanged,
    CustomerForgotten,
)
from domain.forgotten import FORGOTTEN
from domain.orders import events
from domain.orders.events import OrderEvent
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
from readmodels.customer_on_list import CUSTOMERS
from readmodels.known_words import index_of
from readmodels.order_summary import (
    OrderSummaryRow,
    OrderSummaryView,
    changes,
    new_row,
)
from readmodels.parts_of_words import words_that_hold
from readmodels.row_words import words_of_customer, words_of_forgotten
from readmodels.rows_of_orders import (
    EVENTS,
    FORGETS,
    STREAMS,
    columns_of,
    needs_customer,
    order_of,
    standing_of,
)
from readmodels.searching import find_page


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


# Of a forgotten customer no place is left, and a word is never empty.
SEARCHED = "rtrim(customer_words || ' ' || order_words || ' ' || place_words)"

NEWEST = "created_at, order_id"
# Not as parameters: an index of some rows is for a condition that says so itself.
IS_DUE = "due > 0"
HAS_CREDIT = "credit > 0"
IS_WAITED_FOR = "status IN ('pending', 'paid') AND required_date IS NOT NULL"
# As `check_shippable` of the orders: paid, or with days to pay it from then.
IS_READY = "status = 'paid' OR (status = 'pending' AND terms IS NOT NULL)"

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
        # What a desk looks for: few orders of many.
        Index(name="due", on=NEWEST, where=IS_DUE),
        Index(name="credit", on=NEWEST, where=HAS_CREDIT),
        Index(name="needed", on="required_date, order_id", where=IS_WAITED_FOR),
        Index(name="ready", on=NEWEST, where=IS_READY),
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
    is_due: bool | None = None,
    has_credit: bool | None = None,
    is_ready: bool | None = None,
    late_on: date | None = None,
    search: str | None = None,
    sort: str = "-placed",
    after: str | None = None,
    limit: int = 50,
) -> Page[OrderSummaryView]:
    """
    Return a page of the list.

    It has the orders of which something *is_due*, or nothing is, as with *has_credit*;
    those that may be shipped now (*is_ready*), or the others; and those that were
    needed before the day *late_on* and are not all shipped.

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
    if is_due is not None:
        where.append(condition(IS_DUE, is_due))
    if has_credit is not None:
        where.append(condition(HAS_CREDIT, has_credit))
    if is_ready is not None:
        where.append(condition(IS_READY, is_ready))
    if late_on is not None:
        where += [condition(IS_WAITED_FOR, True), columns.required_date < late_on]
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


def condition(text: str, is_so: bool) -> sa.ColumnElement[bool]:
    """Return a condition written in SQL, or its opposite."""
    written = sa.literal_column(f"({text})", sa.Boolean)
    return written if is_so else sa.not_(written)


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
