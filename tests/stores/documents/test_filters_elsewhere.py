"""
MongoDB's family finds the documents that a filter in Python leaves of all, as JSON.

Run on FerretDB 1.24. Neither MongoDB 7 nor 8 has ever run it, so not the conditions on
one element either, which FerretDB refuses.
"""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from eventstore.errors import BadCursor
from readmodels.stores.documents import on_postgres
from readmodels.stores.documents.document_types import (
    CUSTOMERS,
    ORDERS,
    DocumentType,
)
from readmodels.stores.documents.filters import OPERATORS, Filter, read_filter
from readmodels.stores.documents.queries import Documents
from readmodels.stores.documents.store import DocumentStore
from tasks.shop.wiring import Shop
from tests.stores.documents.conftest import changed, make_copy
from tests.support.documents import a_customer, a_filter, an_order, fulfils
from tests.support.filled_tables import fill_table
from webapp.json_values import as_json

COUNT = 200


@pytest.mark.parametrize(
    ("of", "make", "filters"),
    [(ORDERS, an_order, 80), (CUSTOMERS, a_customer, 60)],
)
def test_a_filter_finds_what_the_same_conditions_find_in_plain_json(
    store: DocumentStore,
    documents: Documents,
    of: DocumentType,
    make: Callable[[int, Random], Any],
    filters: int,
) -> None:
    chance = Random(72)
    rows = [make(number, chance) for number in range(1, COUNT + 1)]
    copy = make_copy(store, of)
    assert not store.write(copy, [changed(row, 7, of) for row in rows], 7)
    gone = [changed(row, 8, of)._replace(row=None) for row in rows[:9]]
    store.write(copy, gone, 8)
    shown = [as_json(row) for row in rows[9:]]
    key = of.projection.key
    operators = {name: OPERATORS[f.kind] for name, f in of.fields.items()}
    sizes = []

    for _ in range(filters):
        asked = a_filter(shown, operators, chance)
        found = documents.find(
            of,
            read_filter(of.fields, asked),
            sort=of.usual_sort,
            after=None,
            limit=COUNT,
        )
        if found is None:
            assert store.connection.is_ferretdb
            assert any(":" in name for name, _ in asked)
            continue
        keys = sorted(getattr(row, key) for row in found.page.rows)
        assert keys == sorted(one[key] for one in shown if fulfils(one, asked)), asked
        sizes.append(len(keys))

    assert sum(0 < size < len(shown) for size in sizes) > filters / 4


@pytest.mark.parametrize(("of", "make"), [(ORDERS, an_order), (CUSTOMERS, a_customer)])
def test_pages_of_both_stores_are_the_same_and_follow_each_other(
    shop: Shop,
    store: DocumentStore,
    documents: Documents,
    of: DocumentType,
    make: Callable[[int, Random], Any],
) -> None:
    chance = Random(5)
    rows = [make(number, chance) for number in range(1, 20)]
    fill_table(shop, of.projection, rows)
    store.write(make_copy(store, of), [changed(row, 1, of) for row in rows], 1)
    nothing = Filter()

    with shop.engine.connect() as connection:
        for name in of.view.sorts:
            for sort in (name, f"-{name}"):
                after = None
                while True:
                    where = {"sort": sort, "after": after, "limit": 8}
                    here = on_postgres.find(connection, of, nothing, **where)  # type: ignore[arg-type]
                    there = documents.find(of, nothing, **where)  # type: ignore[arg-type]
                    assert there is not None
                    assert as_json(there.page) == as_json(here)
                    after = here.following
                    if after is None:
                        break

    with pytest.raises(BadCursor):
        documents.find(of, nothing, sort=of.usual_sort, after="x", limit=1)
