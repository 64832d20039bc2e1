"""The price list: the products that can be ordered, and those that could be."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, get_args

import sqlalchemy as sa

from domain.products import events
from eventstore.projections.projection import Fact, Index, LookedUp, Projection
from eventstore.projections.views import Page, View
from readmodels.known_words import index_of
from readmodels.row_words import joined, tails
from readmodels.searching import find_page, tails_that_begin
from readmodels.words import words


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductView:
    """A product of the list; *unit_price* is in minor units of *currency*."""

    product_id: Annotated[str, "The product's number"]
    version: Annotated[int, "How many events its stream has"]
    name: Annotated[str, "What it is called"]
    unit_price: Annotated[int, "What one costs, in minor units"]
    currency: Annotated[str, "As in ISO 4217; most have 100 minor units"]
    added_at: Annotated[datetime, "When it was first put on the list"]
    price_changed_at: Annotated[datetime, "Since when it costs that"]
    discontinued_at: Annotated[
        datetime | None, "When it was taken off the list; NULL: it can be ordered"
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRow(ProductView):
    """A product as it is kept, with the words of its name, to sort and find it by."""

    words: Annotated[str, "The words of its name"]
    searched: Annotated[str, "What the search knows it by"]


def product_of(fact: Fact, looked_up: LookedUp) -> str:
    return fact.subject


def fold(row: ProductRow | None, fact: Fact, looked_up: LookedUp) -> ProductRow:
    """Return the row after the event."""
    event: events.ProductEvent = fact.event
    if isinstance(event, events.ProductAdded):
        return added(row, fact, event)
    # The row was made when the product was added.
    assert row is not None
    row = replace(row, version=fact.version)
    match event:
        case events.PriceChanged(unit_price=unit_price):
            return replace(
                row, unit_price=unit_price, price_changed_at=fact.occurred_at
            )
        case events.ProductRenamed(name=name):
            return replace(row, name=name, **words_of_product(fact.subject, name))
        case events.ProductDiscontinued():
            return replace(row, discontinued_at=fact.occurred_at)


def added(row: ProductRow | None, fact: Fact, event: events.ProductAdded) -> ProductRow:
    return ProductRow(
        product_id=fact.subject,
        version=fact.version,
        name=event.name,
        unit_price=event.unit_price,
        currency=event.currency,
        added_at=fact.occurred_at if row is None else row.added_at,
        price_changed_at=fact.occurred_at,
        discontinued_at=None,
        **words_of_product(fact.subject, event.name),
    )


def words_of_product(product_id: str, name: str) -> dict[str, Any]:
    """Return the columns that have words of a product."""
    own = words(name)
    return {"words": own, "searched": joined(own, words(product_id), *tails(own))}


projection = Projection(
    name="products",
    row=ProductRow,
    key="product_id",
    events=get_args(events.ProductEvent),
    key_of=product_of,
    fold=fold,
    personal={},
    streams={"product_id": "product"},
    # 2: the price list, where it was what had been ordered. 3: words to search by.
    version=3,
    indexes=[
        Index(name="name", on="words, product_id"),
        Index(name="number", on="lower(product_id)"),
        Index(name="searched", on=index_of("searched"), using="gin"),
    ],
)

view: View[ProductView] = View.of(
    projection,
    sorts={"name": "words", "product": "product_id", "price": "unit_price"},
    row=ProductView,
)


def find(
    connection: sa.Connection,
    *,
    is_listed: bool | None = None,
    search: str | None = None,
    sort: str = "name",
    after: str | None = None,
    limit: int = 50,
) -> Page[ProductView]:
    """
    Return a page of products; of those only that can be ordered, or only the others.

    *search* finds words of the name and the number; the product whose number it is
    comes first, and what is only like it last, as `find_page` says. Raises BadCursor
    for an *after* that is no page's `following`.
    """
    where = []
    if is_listed is not None:
        taken_off = view.table.c.discontinued_at
        where.append(taken_off.is_(None) if is_listed else taken_off.is_not(None))
    if search is None:
        return view.page(connection, *where, sort=sort, after=after, limit=limit)
    return find_page(
        view,
        connection,
        *where,
        expression="searched",
        asked=search,
        parts=tails_that_begin,
        first=sa.func.lower(view.table.c.product_id) == search.strip().lower(),
        sort=sort,
        after=after,
        limit=limit,
    )


def find_one(connection: sa.Connection, product_id: str) -> ProductView | None:
    """Return the product with that number, or None."""
    return find_by_number(connection, [product_id]).get(product_id)


def find_by_number(
    connection: sa.Connection, product_ids: Collection[str]
) -> dict[str, ProductView]:
    """Return the products with these numbers, by number."""
    # One parameter, however many there are.
    asked = sa.any_(sa.literal(list(product_ids), sa.ARRAY(sa.Text)))
    rows = view.find(connection, view.table.c.product_id == asked)
    return {row.product_id: row for row in rows}


def find_by_words(
    connection: sa.Connection, names: Collection[str]
) -> dict[str, list[ProductView]]:
    """
    Return the products that can be ordered under each of *names*, as people type them.

    A name is a product's number, or its whole name in whatever letters; one of signs
    alone is the name as it is written.
    """
    columns = view.table.c
    listed = columns.discontinued_at.is_(None)
    known = find_by_number(connection, names)
    asked = {words(name) for name in names}
    rows = view.find(connection, listed, columns.words.in_(sorted(asked)))
    return {
        name: [known[name]]
        if name in known and known[name].discontinued_at is None
        else [row for row in rows if is_called(row, name)]
        for name in names
    }


def is_called(row: ProductView, name: str) -> bool:
    asked = words(name)
    return words(row.name) == asked if asked else row.name == name
