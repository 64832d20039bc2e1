"""The read model of customers: their details, and the number and worth of orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Annotated, Any

import sqlalchemy as sa

from domain.address import Address
from domain.customers import events
from domain.customers.customer import details_in
from domain.forgotten import FORGOTTEN
from domain.orders.events import (
    OrderCancelled,
    OrderCreated,
    OrderItemsChanged,
    OrderReturned,
)
from domain.orders.upcasters import OF_CREATED
from eventstore.projections.projection import (
    Fact,
    Index,
    Key,
    LookedUp,
    Lookup,
    Projection,
)
from eventstore.projections.views import Page, View
from readmodels.known_words import index_of
from readmodels.row_words import words_of_customer_in_parts, words_of_forgotten
from readmodels.searching import find_page, search_for, tails_that_begin


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerView:
    """
    A customer; *worth* is the total of their orders that were not cancelled.

    It is in minor units of *currency*, which is known with the first order.
    """

    customer_id: Annotated[str, "The customer's number"]
    version: Annotated[int, "How many events its stream has"]
    name: Annotated[str, "Personal: the name of the person or company"]
    email: Annotated[str | None, "Personal: the e-mail address"]
    contact_name: Annotated[str | None, "Personal: whom to ask for"]
    phone: Annotated[str | None, "Personal: the telephone number"]
    address: Annotated[Address | None, "Personal: the postal address"]
    registered_at: Annotated[datetime, "When the customer was registered"]
    orders: Annotated[int, "How many orders were placed"] = 0
    cancelled: Annotated[int, "How many of the orders were called off"] = 0
    worth: Annotated[int, "Total of the orders that were not, in minor units"] = 0
    currency: Annotated[str | None, "Of the orders, as in ISO 4217; NULL: none yet"] = (
        None
    )
    last_order_at: Annotated[datetime | None, "When the latest order was placed"] = None
    is_forgotten: Annotated[bool, "Whether what is personal was destroyed"] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRow(CustomerView):
    """A customer as it is kept, with the *words* by which the search finds it."""

    words: Annotated[str, "Personal: what the search knows the customer by"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOrder:
    """
    Customer and worth of an order, needed when its worth changes.

    *change* is by how much its last event has changed the worth.
    """

    order_id: int
    customer_id: str
    total: int
    change: int


Changed = OrderItemsChanged | OrderReturned | OrderCancelled


def order_of(fact: Fact) -> int | None:
    is_about = isinstance(fact.event, OrderCreated | Changed)
    return int(fact.subject) if is_about else None


def placed_order(row: PlacedOrder | None, fact: Fact) -> PlacedOrder:
    match fact.event:
        case OrderCreated(customer_id=customer_id, total=total):
            return PlacedOrder(
                order_id=int(fact.subject),
                customer_id=customer_id,
                total=total,
                change=total,
            )
        case OrderCancelled():
            assert row is not None
            return replace(row, total=0, change=-row.total)
        case event:
            assert row is not None
            return replace(row, total=event.total, change=event.total - row.total)


def needs(fact: Fact) -> Mapping[str, Key]:
    return {"order": int(fact.subject)} if isinstance(fact.event, Changed) else {}


def customer_of(fact: Fact, looked_up: LookedUp) -> str | None:
    match fact.event:
        case OrderCreated(customer_id=customer_id):
            return customer_id
        case OrderItemsChanged() | OrderReturned() | OrderCancelled():
            order: PlacedOrder = looked_up["order"]
            return order.customer_id
        case _:
            return fact.subject


def fold(row: CustomerRow | None, fact: Fact, looked_up: LookedUp) -> CustomerRow:
    """Return the row after the event."""
    match fact.event:
        case events.CustomerRegistered():
            return CustomerRow(
                customer_id=fact.subject,
                registered_at=fact.occurred_at,
                **details(fact),
            )
        case events.CustomerDetailsChanged():
            return replace(existing_row(row), **details(fact))
        case events.FirstOrderRequested():
            # The order itself counts when it is placed.
            return replace(existing_row(row), version=fact.version)
        case events.CustomerForgotten():
            nothing = details_in(events.CustomerDetails(name=FORGOTTEN))
            return replace(
                existing_row(row),
                **nothing,
                version=fact.version,
                words=words_of_forgotten(fact.subject),
                is_forgotten=True,
            )
        case OrderCreated(total=total, currency=currency):
            customer = existing_row(row)
            last = customer.last_order_at or fact.occurred_at
            return replace(
                customer,
                orders=customer.orders + 1,
                worth=customer.worth + total,
                currency=currency,
                last_order_at=max(last, fact.occurred_at),
            )
        case event:
            customer = existing_row(row)
            order: PlacedOrder = looked_up["order"]
            return replace(
                customer,
                cancelled=customer.cancelled + isinstance(event, OrderCancelled),
                worth=customer.worth + order.change,
            )


def details(fact: Fact) -> dict[str, Any]:
    """Return what a customer's own event says of it, by column."""
    event: events.CustomerDetails = fact.event
    return {
        **details_in(event),
        "version": fact.version,
        "words": words_of_customer_in_parts(fact.subject, event),
    }


def existing_row(row: CustomerRow | None) -> CustomerRow:
    """Return the row, which was made when the customer was registered."""
    assert row is not None
    return row


projection = Projection(
    name="customers",
    row=CustomerRow,
    key="customer_id",
    events=[
        events.CustomerRegistered,
        events.CustomerDetailsChanged,
        events.CustomerForgotten,
        events.FirstOrderRequested,
        OrderCreated,
        OrderItemsChanged,
        OrderReturned,
        OrderCancelled,
    ],
    key_of=customer_of,
    needs=needs,
    fold=fold,
    upcasters=OF_CREATED,
    # All of a customer's; not where an order goes to.
    personal={events.CustomerDetails: [f.name for f in fields(events.CustomerDetails)]},
    streams={"customer_id": "customer"},
    forgets=[events.CustomerForgotten],
    # 2: words are folded in other ways. 3: an index of the numbers in small letters.
    # 4: places and telephone numbers. 5: orders that are changed or returned. 6: first
    # orders.
    version=6,
    lookups=[
        Lookup(
            name="order",
            row=PlacedOrder,
            key="order_id",
            key_of=order_of,
            fold=placed_order,
            category="order",
            feeds="customer_id",
        )
    ],
    indexes=[
        # Who is searched for by number comes first, in whatever letters it is typed.
        Index(name="number", on="lower(customer_id)"),
        Index(name="name", on="words, customer_id"),
        Index(name="worth", on="worth, customer_id"),
        Index(name="orders", on="orders, customer_id"),
        Index(name="words", on=index_of("words"), using="gin"),
    ],
)

view: View[CustomerView] = View.of(
    projection,
    sorts={
        "name": "words",
        "worth": "worth",
        "orders": "orders",
        "customer": "customer_id",
    },
    row=CustomerView,
)


def find(
    connection: sa.Connection,
    *,
    search: str | None = None,
    sort: str = "name",
    after: str | None = None,
    limit: int = 50,
) -> Page[CustomerView]:
    """
    Return a page of the customers.

    *search* finds words of name, number, e-mail, contact, city and country, and the
    telephone number; the customer whose number it is comes first, and what is only like
    it last, as `find_page` says. Raises BadCursor for an *after* that is no page's
    `following`.
    """
    if search is None:
        return view.page(connection, sort=sort, after=after, limit=limit)
    return find_page(
        view,
        connection,
        expression="words",
        asked=search,
        parts=tails_that_begin,
        first=sa.func.lower(view.table.c.customer_id) == search.strip().lower(),
        sort=sort,
        after=after,
        limit=limit,
    )


def find_written(
    connection: sa.Connection, field: str, text: str, *, search: str, limit: int
) -> Sequence[CustomerView]:
    """
    Return customers of whom a *field* is *text*, in capitals or not.

    They are found by the words of *search*, as `find` finds them.
    """
    is_same = sa.func.lower(view.table.c[field]) == text.lower()
    found = view.page(
        connection,
        is_same,
        search=search_for("words", search),
        sort="name",
        after=None,
        limit=limit,
    )
    return found.rows


def find_names(
    connection: sa.Connection, customer_ids: Sequence[str]
) -> dict[str, str]:
    """Return the names of the customers with these numbers, by number."""
    columns = view.table.c
    # One parameter, however many there are.
    asked = sa.any_(sa.literal(list(customer_ids), sa.ARRAY(sa.Text)))
    rows = connection.execute(
        sa.select(columns.customer_id, columns.name).where(columns.customer_id == asked)
    )
    return {row.customer_id: row.name for row in rows}


def find_one(connection: sa.Connection, customer_id: str) -> CustomerView | None:
    """Return the customer with that number, or None."""
    rows = view.find(connection, view.table.c.customer_id == customer_id)
    return rows[0] if rows else None
