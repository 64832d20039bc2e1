"""What is particular to the store of documents, beside what every store promises."""

import time
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from eventstore.errors.stores import StoreAway
from eventstore.projections.changes import RowChange
from eventstore.stores.row_store import Checkpoint, Copy, Shelf, StoredRow
from readmodels.stores.documents import store as module
from readmodels.stores.documents.document_types import CUSTOMERS, ORDERS
from readmodels.stores.documents.filters import Filter
from readmodels.stores.documents.queries import Documents
from readmodels.stores.documents.store import DocumentStore
from tests.stores.documents.conftest import changed, make_copy
from tests.stores.servers.server import GivenServer, Server
from tests.support.documents import a_customer, an_order

HUGE = 2**53 + 1


def an_order_of(number: int, **fields: Any) -> Any:
    return replace(an_order(number, Random(number)), **fields)


def write(store: DocumentStore, copy: Copy, *changes: RowChange) -> list[Any]:
    refusals = store.write(copy, changes, max(c.change for c in changes))
    return [refusal.key for refusal in refusals]


def test_a_row_comes_back_as_it_was(store: DocumentStore) -> None:
    for of, make in ((ORDERS, an_order), (CUSTOMERS, a_customer)):
        copy = make_copy(store, of)
        rows = [make(number, Random(number)) for number in range(1, 30)]
        changes = [changed(row, HUGE, of) for row in rows]

        assert write(store, copy, *changes) == []
        found = store.read(copy, [change.key for change in changes])
        assert found == {c.key: StoredRow(HUGE, c.row) for c in changes}
        assert store.count(copy) == len(rows)


def test_a_page_with_an_older_row_in_it_is_written_apart_from_that(
    store: DocumentStore,
) -> None:
    copy = make_copy(store, ORDERS)
    write(store, copy, changed(an_order_of(5), 9, ORDERS))

    page = [changed(an_order_of(number, total=0), 8, ORDERS) for number in range(10)]
    assert write(store, copy, *page) == []
    found = store.read(copy, range(10))
    assert {key: row.change for key, row in found.items()} == {
        **dict.fromkeys(range(10), 8),
        5: 9,
    }


def test_one_bad_row_leaves_its_place_empty_and_the_others_go_in(
    store: DocumentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = make_copy(store, ORDERS)
    before = an_order_of(3)
    write(store, copy, changed(before, 1, ORDERS))
    (line,) = before.history[:1]
    too_wide = replace(line, told={"total": 2**64})
    changes = [
        *(changed(an_order_of(number), 2, ORDERS) for number in range(1, 30)),
        changed(replace(before, history=(too_wide,)), 2, ORDERS),
    ]
    del changes[2]

    assert write(store, copy, *changes) == [3]
    found = dict(store.read(copy, range(1, 30)))
    assert found.pop(3) == StoredRow(2, None)
    assert found == {c.key: StoredRow(2, c.row) for c in changes if c.key != 3}

    monkeypatch.setattr("readmodels.stores.documents.updates.MAX_BYTES", 10)
    assert write(store, copy, changed(before, 3, ORDERS)) == [3]


def test_a_row_that_the_server_refuses_is_told_from_a_server_in_need(
    store: DocumentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = make_copy(store, ORDERS)
    if not store.connection.is_ferretdb:
        pytest.skip("MongoDB takes names with dots")
    order = an_order_of(1)
    dotted = replace(order.history[0], told={"a.b": 1})
    bad = changed(replace(order, history=(dotted,)), 1, ORDERS)

    good = changed(an_order_of(2), 1, ORDERS)
    assert write(store, copy, bad, good) == [1]
    assert store.read(copy, [1, 2]) == {
        1: StoredRow(1, None),
        2: StoredRow(1, good.row),
    }

    monkeypatch.setattr(module, "OF_THE_ROW", ())
    with pytest.raises(StoreAway):
        write(store, copy, bad._replace(change=2))
    assert store.read(copy, [1]) == {1: StoredRow(1, None)}


def test_keys_come_in_an_order_with_the_deleted_ones(store: DocumentStore) -> None:
    for of, make in ((ORDERS, an_order), (CUSTOMERS, a_customer)):
        copy = make_copy(store, of)
        rows = [make(number, Random(number)) for number in range(1, 12)]
        changes = [changed(row, 1, of) for row in rows]
        changes[4] = changes[4]._replace(row=None)
        write(store, copy, *changes)

        keys: list[Any] = []
        while some := store.keys_behind(copy, keys[-1] if keys else None, 4):
            keys += some
        assert keys == sorted(change.key for change in changes)


def test_a_copy_that_is_gone_has_no_empty_answer(
    store: DocumentStore, documents: Documents
) -> None:
    copy, other = make_copy(store, ORDERS), make_copy(store, CUSTOMERS)
    assert store.find_copies("order_details") == [copy.name()]
    store.drop(copy)

    assert store.load_checkpoint(copy) is None
    assert store.find_copies("order_details") == []
    assert store.find_copies("customers") == [other.name()]
    asked = {"sort": "order_id", "after": None, "limit": 1}
    assert documents.find(ORDERS, Filter(), **asked) is None  # type: ignore[arg-type]


def test_a_copy_for_other_code_does_not_answer(
    store: DocumentStore, documents: Documents
) -> None:
    copy = make_copy(store, ORDERS)
    asked: dict[str, Any] = {"sort": "order_id", "after": None, "limit": 1}
    assert documents.find(ORDERS, Filter(), **asked) is not None

    other = Copy(
        read_model=copy.read_model,
        epoch=copy.epoch,
        generation=1,
        shape="another",
        number=2,
    )
    store.make(other)
    store.save_shelf("order_details", Shelf(serving=other, previous=copy), 2)
    assert documents.find(ORDERS, Filter(), **asked) is None


def test_a_server_that_is_silent_is_given_up_soon(
    store: DocumentStore, documents_server: Server
) -> None:
    if isinstance(documents_server, GivenServer):
        pytest.skip("the server is not ours to pause")
    copy = make_copy(store, ORDERS)
    impatient = Documents(store, seconds=0.15)
    asked: dict[str, Any] = {"sort": "order_id", "after": None, "limit": 1}
    documents_server.pause()
    start = time.monotonic()
    with pytest.raises(StoreAway):
        impatient.find(ORDERS, Filter(), **asked)
    waited = time.monotonic() - start
    documents_server.resume()
    impatient.close()

    # A loaded machine takes its time; without a limit it were for ever.
    assert waited < 2
    assert store.load_checkpoint(copy) == Checkpoint()
