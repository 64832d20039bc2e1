"""The search store on a real server: what is written, and what is never lost by it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec
import pytest

from eventstore.errors.stores import CopyMoved, OutdatedWriter, StoreAway
from eventstore.projections.changes import RowChange
from eventstore.stores.row_store import Checkpoint, Copy, Shelf, StoredRow
from readmodels.order_summary import OrderSummaryRow
from readmodels.stores.search.bulk import Bulk
from readmodels.stores.search.forms import FORMS, ORDERS, Form
from readmodels.stores.search.store import SearchStore, prefix_of
from tests.stores.search.conftest import new_copy
from tests.support.order_rows import order

pytestmark = pytest.mark.stores


@pytest.fixture
def copy(store: SearchStore) -> Copy:
    copy = new_copy(store)
    store.make(copy)
    return copy


def other_than(store: SearchStore, forms: Sequence[Form] = FORMS) -> SearchStore:
    """Another writer of the same shop."""
    shop = store.prefix.removeprefix(prefix_of(""))
    return SearchStore(store.client.url, shop, forms)


def change(number: int, row: OrderSummaryRow | None, at: int = 1) -> RowChange:
    return RowChange(number, at, at, row)


def test_rows_are_read_as_they_were_written(store: SearchStore, copy: Copy) -> None:
    rows = [order(n) for n in range(1, 4)]
    refused = store.write(copy, [change(row.order_id, row) for row in rows], 1)
    gone = store.write(copy, [change(9, None)], 1)

    assert [refused, gone] == [[], []]
    expected = {row.order_id: StoredRow(1, row) for row in rows}
    expected[9] = StoredRow(1, None)
    assert store.read(copy, [1, 2, 3, 9, 10]) == expected
    assert store.count(copy) == 4
    first = store.keys_behind(copy, None, 3)
    assert sorted([*first, *store.keys_behind(copy, first[-1], 3)]) == [1, 2, 3, 9]


def test_an_older_row_never_replaces_a_newer_one(
    store: SearchStore, copy: Copy
) -> None:
    newer, older = order(1, "Newer"), order(1, "Older")
    store.write(copy, [change(1, newer, at=2**53 + 2)], 2**53 + 2)

    for at in (1, 2**53 + 1):
        refused = store.write(copy, [change(1, older, at), change(2, order(2), at)], at)
        assert refused == []
    store.write(copy, [change(1, None, 2**53)], 2**53)

    assert store.read(copy, [1]) == {1: StoredRow(2**53 + 2, newer)}
    # The others of that request went in.
    assert store.read(copy, [2])[2].row == order(2)


def test_the_same_change_is_taken_again(store: SearchStore, copy: Copy) -> None:
    for customer in ("First", "Second"):
        store.write(copy, [change(1, order(1, customer), 5)], 5)

    assert store.read(copy, [1])[1].row == order(1, "Second")


def test_a_deleted_row_does_not_come_back(store: SearchStore, copy: Copy) -> None:
    """A server that had deleted the document would not know its number any more."""
    store.write(copy, [change(1, order(1), 1)], 1)
    store.write(copy, [change(1, None, 2)], 2)
    store.write(copy, [change(1, order(1), 1)], 1)

    assert store.read(copy, [1]) == {1: StoredRow(2, None)}


def test_one_bad_row_of_a_thousand_is_refused_and_the_others_go_in(
    store: SearchStore, copy: Copy
) -> None:
    # A secret stands beside what is wrong: it must not be told.
    bad = order(500, "Secret Name", total=2**63)
    rows = [bad if n == 500 else order(n) for n in range(1, 1001)]
    [refused] = store.write(copy, [change(row.order_id, row) for row in rows], 1)

    assert (refused.key, refused.change) == (500, 1)
    assert "by_total" in refused.error
    assert str(2**63) not in refused.error
    assert "Secret" not in refused.error
    assert store.count(copy) == 1000
    assert store.read(copy, [500, 501]) == {
        500: StoredRow(1, None),
        501: StoredRow(1, order(501)),
    }

    # A row that can be taken comes later into its place.
    store.write(copy, [change(500, order(500), 2)], 2)
    assert store.read(copy, [500])[500].row == order(500)


def test_without_the_look_at_each_item_a_row_is_lost_unnoticed(
    store: SearchStore, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the server answers 200."""
    monkeypatch.setattr(Bulk, "is_done", lambda *_: True)
    refused = store.write(copy, [change(1, order(1, total=2**63))], 1)

    assert refused == []
    assert store.read(copy, [1]) == {}


def test_a_document_has_no_field_that_is_not_declared(
    store: SearchStore, copy: Copy
) -> None:
    [refused] = store.bulk_of(copy).put([(change(1, None), b'{"secret": "text"}')])

    assert refused.error == "strict_dynamic_mapping_exception (400)"


def test_nothing_is_written_where_no_copy_is(
    store: SearchStore, copy: Copy, making_indexes: None
) -> None:
    """Not even where the server makes an index for any document, as most do."""
    store.write(copy, [change(1, order(1))], 1)
    assert store.load_checkpoint(copy) == Checkpoint()
    # By another one: this one knows nothing of it.
    other = other_than(store)
    other.drop(copy)

    for _ in range(2):
        with pytest.raises(CopyMoved):
            store.write(copy, [change(1, order(1), 2)], 2)
    with pytest.raises(CopyMoved):
        store.save_checkpoint(copy, Checkpoint(change=1, key=1), Checkpoint())
    with pytest.raises(CopyMoved):
        store.count(copy)
    with pytest.raises(CopyMoved):
        store.read(copy, [1])
    assert store.load_checkpoint(copy) is None
    assert other.find_copies("order_list") == []
    store.save_shelf("order_list", Shelf(), 2)
    with pytest.raises(OutdatedWriter):
        other.save_shelf("order_list", Shelf(), 1)
    other.close()


@pytest.fixture
def making_indexes(store: SearchStore) -> Iterator[None]:
    """The server makes an index for any document that has none."""
    setting = "action.auto_create_index"
    store.ask("PUT", "/_cluster/settings", {"persistent": {setting: True}})
    yield
    store.ask("PUT", "/_cluster/settings", {"persistent": {setting: None}})


def test_a_checkpoint_is_replaced_only_by_the_one_who_knows_it(
    store: SearchStore, copy: Copy
) -> None:
    other = other_than(store)
    first = Checkpoint(change=1, key=7, log_position=3, event_id="x", position=3)
    second, third = replace_change(first, 2), replace_change(first, 3)
    assert store.load_checkpoint(copy) == Checkpoint()
    store.save_checkpoint(copy, first, Checkpoint())
    assert other.load_checkpoint(copy) == first
    other.save_checkpoint(copy, second, first)

    with pytest.raises(CopyMoved):
        store.save_checkpoint(copy, third, first)
    with pytest.raises(CopyMoved):
        store.save_checkpoint(copy, third, first)

    assert store.load_checkpoint(copy) == second
    store.save_checkpoint(copy, third, second)
    assert other.load_checkpoint(copy) == third
    other.close()


def replace_change(checkpoint: Checkpoint, change: int) -> Checkpoint:
    return msgspec.structs.replace(checkpoint, change=change)


def test_a_shelf_is_stored_by_the_latest_writer_alone(
    store: SearchStore, copy: Copy
) -> None:
    other = new_copy(store, number=2)
    store.make(other)
    assert store.load_shelf("order_list") is None
    store.save_shelf("order_list", Shelf(serving=copy), 1)
    store.save_shelf("order_list", Shelf(serving=other, previous=copy), 2)

    with pytest.raises(OutdatedWriter):
        store.save_shelf("order_list", Shelf(serving=copy), 1)

    assert store.load_shelf("order_list") == Shelf(serving=other, previous=copy)
    assert shown(store) == {store.index_of(other)}
    assert set(store.find_copies("order_list")) == {copy.name(), other.name()}


def test_a_writer_that_was_paused_puts_the_alias_back(
    store: SearchStore, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was stopped between the shelf, which has a guard, and the alias."""
    other = new_copy(store, number=2)
    store.make(other)
    paused = other_than(store)
    show = paused.shelves.show

    def be_late(read_model: str, shelf: Shelf) -> None:
        monkeypatch.undo()
        store.save_shelf("order_list", Shelf(serving=other), 2)
        show(read_model, shelf)

    monkeypatch.setattr(paused.shelves, "show", be_late)
    with pytest.raises(OutdatedWriter):
        paused.save_shelf("order_list", Shelf(serving=copy), 1)

    assert shown(store) == {store.index_of(other)}
    paused.close()


def shown(store: SearchStore) -> set[str]:
    """The indexes that readers are shown."""
    found = store.ask("GET", f"/_alias/{store.prefix}-order_list", None, 404)
    return set(msgspec.json.decode(found.body)) if found.status == 200 else set()


def test_a_server_that_takes_no_writes_is_away_and_nothing_is_refused(
    store: SearchStore, copy: Copy
) -> None:
    """Its disk is full: it says 429, which a busy server says too."""
    full = "index.blocks.read_only_allow_delete"
    path = f"/{store.index_of(copy)}/_settings"
    store.ask("PUT", path, {full: True})
    with pytest.raises(StoreAway, match="disk may be full"):
        store.write(copy, [change(1, order(1))], 1)
    with pytest.raises(StoreAway, match="disk may be full"):
        store.save_checkpoint(copy, Checkpoint(change=1, key=1), Checkpoint())
    store.ask("PUT", path, {full: None})

    store.write(copy, [change(1, order(1))], 1)
    store.save_checkpoint(copy, Checkpoint(change=1, key=1), Checkpoint())
    assert store.read(copy, [1])[1].row == order(1)


def test_a_copy_of_an_older_form_is_still_fed(store: SearchStore, copy: Copy) -> None:
    wider = replace(ORDERS, numbers=["currency"])
    later = other_than(store, [wider])
    assert later.shape_of(wider.projection) != copy.shape
    assert later.write(copy, [change(1, order(1))], 1) == []

    assert store.read(copy, [1])[1].row == order(1)
    later.close()
