"""One row of a thousand is refused by a store: the others go in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from domain.customers.commands import RegisterCustomer
from eventstore.projections.changes import ChangesPage, RowChange, read_changes
from eventstore.projections.projection import Projection
from eventstore.stores import registry
from eventstore.stores.comparison import compare
from eventstore.stores.row_store import Copy, Refusal
from readmodels.stores.search.bulk import Bulk
from tasks.shop.wiring import Shop
from tests.stores.every.conftest import SERVERS, Kit, Served
from tests.support.desk import Do
from tests.support.fed_store import settle, written

pytestmark = pytest.mark.stores

COUNT = 1_000
BAD = "C500"
SPOILED: Mapping[str, Mapping[str, Any]] = {
    # Not what the mapping says, and more than an integer of BSON has.
    "search": {"worth": "no number"},
    "documents": {"worth": 2**70},
}


@pytest.fixture(params=SPOILED)
def served(request: pytest.FixtureRequest) -> Served:
    """The stores that may refuse a row: those that look at its fields."""
    name = request.param
    server = request.getfixturevalue(SERVERS[name])
    return Served(name, server, server.url)


def customers_in(kit: Kit) -> Projection:
    return next(one for one in kit.store.projections if one.name == "customers")


def thousand(change: RowChange, first: int) -> list[RowChange]:
    """Return changes of so many rows like the one of *change*."""
    assert change.row is not None
    keys = [f"C{number}" for number in range(COUNT)]
    return [
        RowChange(key, first + n, 1, replace(change.row, customer_id=key))
        for n, key in enumerate(keys)
    ]


def spoiled(changes: Sequence[RowChange], kit: Kit) -> list[RowChange]:
    return [
        change._replace(row=replace(change.row, **SPOILED[kit.name]))
        if change.key == BAD and change.row is not None
        else change
        for change in changes
    ]


def test_one_bad_row_of_a_thousand_is_noted_and_comes_when_it_is_mended(
    followed: Shop, kit: Kit, do: Do
) -> None:
    customers = customers_in(kit)
    do(RegisterCustomer(customer_id="REAL", name="Real"))
    with written(followed, kit.store) as writer:
        settle(writer)
        feeder = next(one for one in writer.feeders if one.name == "customers")
        copy = kit.serving(customers)
        with followed.lent() as connection:
            page = read_changes(connection, customers, limit=10)
        first = page.newest + 1
        changes = thousand(page.changes[0], first)
        feeder.mover.write(copy, page_of(page, spoiled(changes, kit)))
        found = kit.store.read(copy, [change.key for change in changes])
        refused = refusals(followed, kit, copy)
        print(f"\n{kit.name}: refused {refused}")
        assert {key for key, one in found.items() if one.row is None} == {BAD}
        assert len(found) == COUNT
        assert all(
            found[change.key].row == change.row
            for change in changes
            if change.key != BAD
        )
        assert list(refused) == [BAD]
        assert "no number" not in refused[BAD]

        mended = [one._replace(change=first + COUNT) for one in changes[500:501]]
        feeder.mover.write(copy, page_of(page, mended))
        assert kit.store.read(copy, [BAD])[BAD] == (first + COUNT, mended[0].row)
        assert refusals(followed, kit, copy) == {}


def page_of(page: ChangesPage, changes: Sequence[RowChange]) -> ChangesPage:
    return page._replace(changes=list(changes), newest=changes[-1].change)


def refusals(shop: Shop, kit: Kit, copy: Copy) -> Mapping[str, str]:
    with shop.lent() as connection:
        return registry.find_refused(connection, kit.name, "customers", copy.number)


def test_without_a_look_at_each_item_a_row_is_lost_and_the_comparison_finds_it(
    followed: Shop, kit: Kit, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kit.name != "search":
        pytest.skip("the answer of the search store has an outcome for each item")
    customers = customers_in(kit)
    write = kit.store.write

    def write_spoiled(
        copy: Copy, changes: Sequence[RowChange], newest: int
    ) -> Sequence[Refusal]:
        return write(copy, spoiled(changes, kit), newest)

    with written(followed, kit.store) as writer:
        settle(writer)
        monkeypatch.setattr(Bulk, "is_done", lambda *_: True)
        monkeypatch.setattr(kit.store, "write", write_spoiled)
        do(RegisterCustomer(customer_id=BAD, name="B"), RegisterCustomer(name="A"))
        settle(writer)
        copy = kit.serving(customers)
        assert refusals(followed, kit, copy) == {}
        with followed.lent() as connection:
            found = compare(connection, kit.store, customers, copy, is_full=True)
    assert f"customers {BAD}: missing" in found.differences
