"""Documents found in PostgreSQL are those that a filter in Python leaves of all."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from readmodels.stores.documents import on_postgres
from readmodels.stores.documents.document_types import (
    CUSTOMERS,
    ORDERS,
    DocumentType,
)
from readmodels.stores.documents.fields import sortable_fields
from readmodels.stores.documents.filters import OPERATORS, Filter, read_filter
from tasks.shop.wiring import Shop
from tests.support.documents import (
    a_customer,
    a_filter,
    an_order,
    fulfils,
)
from tests.support.filled_tables import fill_table
from webapp.json_values import as_json

COUNT = 120


@pytest.mark.parametrize(
    ("documents", "make", "filters"),
    [(ORDERS, an_order, 500), (CUSTOMERS, a_customer, 200)],
)
def test_a_filter_finds_what_the_same_conditions_find_in_plain_json(
    shop: Shop,
    documents: DocumentType,
    make: Callable[[int, Random], Any],
    filters: int,
) -> None:
    chance = Random(27)
    rows = [make(number, chance) for number in range(1, COUNT + 1)]
    fill_table(shop, documents.projection, rows)
    shown = [as_json(row) for row in rows]
    key = documents.projection.key
    operators = {name: OPERATORS[f.kind] for name, f in documents.fields.items()}
    sizes = []

    with shop.engine.connect() as connection:
        for _ in range(filters):
            asked = a_filter(shown, operators, chance)
            page = on_postgres.find(
                connection,
                documents,
                read_filter(documents.fields, asked),
                sort=documents.usual_sort,
                after=None,
                limit=COUNT,
            )
            found = sorted(getattr(row, key) for row in page.rows)
            wanted = sorted(one[key] for one in shown if fulfils(one, asked))
            assert found == wanted, asked
            sizes.append(len(found))

    # Many find some, and not all: one that always found none would be noticed.
    assert sum(0 < size < COUNT for size in sizes) > filters / 3
    assert {0, COUNT} & set(sizes)


def test_pages_follow_each_other_in_any_order(shop: Shop) -> None:
    chance = Random(3)
    rows = [an_order(number, chance) for number in range(1, 31)]
    fill_table(shop, ORDERS.projection, rows)
    asked = read_filter(ORDERS.fields, [("lines.quantity.gte", "2")])
    among = [row for row in rows if any(line.quantity >= 2 for line in row.lines)]

    with shop.engine.connect() as connection:
        for name in sortable_fields(ORDERS.row):
            order = sorted(among, key=lambda row: (getattr(row, name), row.order_id))
            assert paged(connection, asked, name) == order
            assert paged(connection, asked, f"-{name}") == order[::-1]


def paged(connection: sa.Connection, asked: Filter, sort: str) -> list[Any]:
    listed: list[Any] = []
    after = None
    while True:
        page = on_postgres.find(
            connection, ORDERS, asked, sort=sort, after=after, limit=4
        )
        listed += page.rows
        after = page.following
        if after is None:
            return listed
