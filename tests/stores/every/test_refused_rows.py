"""One row of a thousand is refused by a store: the others go in."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from domain.customers.commands import ChangeCustomerDetails, RegisterCustomer
from eventstore.projections.changes import RowChange
from eventstore.projections.projection import Projection
from eventstore.stores import registry
from eventstore.stores.comparison import compare
from eventstore.stores.row_store import Copy, Refusal
from readmodels.stores.search.bulk import Bulk
from tasks import catch_up, commands
from tasks.accept import accept
from tasks.shop.wiring import Shop
from tests.stores.every.conftest import Kit
from tests.support.fed_store import settle, written

pytestmark = [pytest.mark.stores, pytest.mark.long]

COUNT = 1_000
BAD = "C500"
AT_ONCE = 200
SPOILED: dict[str, dict[str, Any]] = {
    # A value that the mapping refuses, and a text that FerretDB cannot keep.
    "search": {"worth": "no number"},
    "documents": {"name": "a\0b"},
}


@pytest.fixture(params=SPOILED)
def served(request: pytest.FixtureRequest) -> Any:
    """The stores that may refuse a row: those that know its fields."""
    from tests.stores.every.conftest import SERVERS, Served

    name = request.param
    server = request.getfixturevalue(SERVERS[name])
    return Served(name, server, server.url)


def run(shop: Shop, asked: Sequence[Any]) -> None:
    for start in range(0, len(asked), AT_ONCE):
        ids = [
            accept(shop, one, key=str(uuid4()), principal="staff").command_id
            for one in asked[start : start + AT_ONCE]
        ]
        commands.run(shop, ids)
    catch_up.run(shop)


def register_all(shop: Shop) -> None:
    run(
        shop,
        [RegisterCustomer(customer_id=f"C{n}", name=f"Name {n}") for n in range(COUNT)],
    )


def spoil(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Have one row come to the store with a bad value; return what mends it."""
    write = kit.store.write
    bad = {BAD}

    def write_spoiled(
        copy: Copy, changes: Sequence[RowChange], newest: int
    ) -> Sequence[Refusal]:
        spoiled = [
            change._replace(row=replace(change.row, **SPOILED[kit.name]))
            if change.key in bad and change.row is not None
            else change
            for change in changes
        ]
        return write(copy, spoiled, newest)

    monkeypatch.setattr(kit.store, "write", write_spoiled)
    return bad.clear


def customers_in(kit: Kit) -> Projection:
    return next(one for one in kit.store.projections if one.name == "customers")


def test_one_bad_row_of_a_thousand_is_noted_and_the_others_go_in(
    followed: Shop, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    customers = customers_in(kit)
    with written(followed, kit.store) as writer:
        settle(writer)
        register_all(followed)
        mend = spoil(kit, monkeypatch)
        settle(writer)
        copy = kit.serving(customers)
        keys = [f"C{n}" for n in range(COUNT)]
        found = kit.store.read(copy, keys)
        with followed.lent() as connection:
            refused = registry.find_refused(
                connection, kit.name, customers.name, copy.number
            )
            compared = compare(
                connection, kit.store, customers, copy, refused=refused, is_full=True
            )
        assert sum(one.row is not None for one in found.values()) == COUNT - 1
        assert found[BAD].row is None
        assert list(refused) == [BAD]
        assert compared.differences == []
        print(f"\n{kit.name}: {COUNT - 1} rows went in, refused: {refused}")

        mend()
        run(followed, [ChangeCustomerDetails(customer_id=BAD, name="Mended")])
        settle(writer)
        row: Any = kit.store.read(copy, [BAD])[BAD].row
        assert row.name == "Mended"
        with followed.lent() as connection:
            assert not registry.find_refused(
                connection, kit.name, customers.name, copy.number
            )


def test_without_a_look_at_each_item_a_row_is_lost_and_the_comparison_finds_it(
    followed: Shop, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kit.name != "search":
        pytest.skip("the answer of the search store has an outcome for each item")
    customers = customers_in(kit)
    monkeypatch.setattr(Bulk, "is_done", lambda *_: True)
    with written(followed, kit.store) as writer:
        settle(writer)
        spoil(kit, monkeypatch)
        run(
            followed,
            [RegisterCustomer(customer_id=BAD, name="B"), RegisterCustomer(name="A")],
        )
        settle(writer)
        copy = kit.serving(customers)
        with followed.lent() as connection:
            assert not registry.find_refused(
                connection, kit.name, customers.name, copy.number
            )
            found = compare(connection, kit.store, customers, copy, is_full=True)
    assert f"customers {BAD}: missing" in found.differences
