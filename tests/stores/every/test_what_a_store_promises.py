"""What `RowStore` promises, on real servers: the same rules for every store."""

import random
import time
from collections.abc import Sequence

import msgspec
import pytest

from eventstore.errors.stores import CopyMoved, OutdatedWriter, StoreAway
from eventstore.projections.changes import RowChange, read_changes
from eventstore.projections.projection import Projection
from eventstore.stores.comparison import compare
from eventstore.stores.row_store import Checkpoint, Shelf
from eventstore.stores.writer import Writer
from tasks.shop.wiring import Shop
from tests.stores.every.conftest import Kit, changed, checkpoint_at, new_copy
from tests.support.visiting import Place
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.stores, pytest.mark.usefixtures("alice")]

BIG = 2**53 + 1
"""A number that a floating point number has not."""


def projection_of(kit: Kit) -> Projection:
    """The read model of orders that the store has."""
    return next(one for one in kit.store.projections if one.key == "order_id")


def changes_in(shop: Shop, projection: Projection) -> Sequence[RowChange]:
    with shop.lent() as connection:
        return read_changes(connection, projection, limit=1_000).changes


def settle(writer: Writer) -> None:
    """Give turns until all copies are put in place and have all changes."""
    for _ in range(200):
        writer.next_orders = float("-inf")
        for feeder in writer.feeders:
            feeder.next_certificate = float("-inf")
        pause = writer.turn()
        done = all(
            feeder.shelf.serving and not feeder.shelf.upcoming
            for feeder in writer.feeders
        )
        if pause and done:
            return
    raise AssertionError("it never settles")


def test_a_copy_is_filled_put_in_place_and_equal(
    followed: Shop, kit: Kit, writer: Writer, place: Place
) -> None:
    place("pending")
    place("shipped")
    settle(writer)
    order_id = place("paid")
    settle(writer)
    projection = projection_of(kit)

    with followed.lent() as connection:
        for one in kit.store.projections:
            found = compare(connection, kit.store, one, kit.serving(one), is_full=True)
            assert found.differences == []
    [(key, stored)] = kit.rows(projection, [order_id]).items()
    assert key == order_id
    assert stored.row is not None
    assert stored.row.status == "paid"


def test_an_older_row_is_refused_and_the_same_one_does_no_harm(
    followed: Shop, kit: Kit, place: Place
) -> None:
    key = place("pending")
    projection = projection_of(kit)
    [change] = changes_in(followed, projection)
    copy = new_copy(kit, followed, projection)
    newer = changed(change, BIG + 1, status="newer")
    kit.store.write(copy, [newer], BIG + 1)
    kit.store.write(copy, [changed(change, BIG, status="older")], BIG)
    kit.store.write(copy, [newer], BIG + 1)

    found = kit.store.read(copy, [key])[key]
    assert (found.change, found.row) == (BIG + 1, newer.row)

    later = changed(change, BIG + 2, status="later")
    kit.store.write(copy, [later], BIG + 2)
    assert kit.store.read(copy, [key])[key].row == later.row


def test_a_deleted_row_leaves_a_mark(followed: Shop, kit: Kit, place: Place) -> None:
    key = place("pending")
    projection = projection_of(kit)
    [change] = changes_in(followed, projection)
    copy = new_copy(kit, followed, projection)
    kit.store.write(copy, [change._replace(change=5)], 5)
    kit.store.write(copy, [change._replace(change=7, row=None)], 7)
    kit.store.write(copy, [change._replace(change=6)], 7)

    assert kit.store.read(copy, [key])[key] == (7, None)
    kit.store.write(copy, [change._replace(change=8)], 8)
    assert kit.store.read(copy, [key])[key] == (8, change.row)


def test_a_checkpoint_moves_only_from_the_one_that_is_known(
    followed: Shop, kit: Kit
) -> None:
    projection = projection_of(kit)
    copy = new_copy(kit, followed, projection)
    first, second = checkpoint_at(BIG, 1), checkpoint_at(BIG + 1, 2)
    assert kit.store.load_checkpoint(copy) == Checkpoint()
    kit.store.save_checkpoint(copy, first, Checkpoint())

    other = kit.open()
    assert other.load_checkpoint(copy) == first
    other.save_checkpoint(copy, second, first)
    with pytest.raises(CopyMoved):
        kit.store.save_checkpoint(copy, checkpoint_at(BIG + 2, 3), first)
    assert kit.store.load_checkpoint(copy) == second


def test_nothing_is_written_to_a_copy_that_is_not_there(
    followed: Shop, kit: Kit, place: Place
) -> None:
    place("pending")
    projection = projection_of(kit)
    [change] = changes_in(followed, projection)
    copy = new_copy(kit, followed, projection)
    kit.store.drop(copy)
    other = kit.open()

    assert other.load_checkpoint(copy) is None
    with pytest.raises(CopyMoved):
        other.write(copy, [change], change.change)
    with pytest.raises(CopyMoved):
        other.save_checkpoint(copy, checkpoint_at(1, 1), Checkpoint())
    assert copy.name() not in other.find_copies(projection.name)


def test_a_shelf_is_not_taken_from_a_later_writer(followed: Shop, kit: Kit) -> None:
    projection = projection_of(kit)
    copy = new_copy(kit, followed, projection)
    kit.store.save_shelf(projection.name, Shelf(serving=copy, forgotten=7), BIG + 1)

    with pytest.raises(OutdatedWriter):
        kit.open().save_shelf(projection.name, Shelf(), BIG)
    assert kit.open().load_shelf(projection.name) == Shelf(serving=copy, forgotten=7)


def test_copies_are_found_and_dropped_by_name(followed: Shop, kit: Kit) -> None:
    projection = projection_of(kit)
    copy = new_copy(kit, followed, projection)
    other = msgspec.structs.replace(copy, number=2)
    kit.store.make(other)

    assert set(kit.store.find_copies(projection.name)) == {copy.name(), other.name()}
    kit.store.drop_named(projection.name, other.name())
    assert list(kit.store.find_copies(projection.name)) == [copy.name()]


def test_all_keys_are_walked_once(followed: Shop, kit: Kit, place: Place) -> None:
    place("pending")
    projection = projection_of(kit)
    [change] = changes_in(followed, projection)
    copy = new_copy(kit, followed, projection)
    keys = random.Random(5).sample(range(1, 5_000), 120)
    kit.store.write(
        copy,
        [
            changed(change._replace(key=key), 5 + n, order_id=key)
            for n, key in enumerate(keys)
        ],
        500,
    )

    walked: list[object] = []
    last = None
    while found := kit.store.keys_behind(copy, last, 50):
        walked += found
        last = found[-1]
    assert sorted(walked, key=str) == sorted(keys, key=str)
    assert kit.store.count(copy) == len(keys)


def test_a_server_that_is_frozen_is_away_and_then_goes_on(
    followed: Shop, kit: Kit, writer: Writer, place: Place
) -> None:
    place("pending")
    settle(writer)
    kit.server.pause()
    try:
        begun = time.monotonic()
        with pytest.raises(StoreAway):
            kit.open().load_shelf(projection_of(kit).name)
        assert time.monotonic() - begun < 30
    finally:
        kit.server.resume()
    order_id = place("paid")
    wait_until(lambda: goes_on(writer), "the store answers")
    settle(writer)

    found = kit.rows(projection_of(kit), [order_id])
    assert kit.may_lack_rows or found[order_id].row is not None


def goes_on(writer: Writer) -> bool:
    try:
        writer.turn()
    except (StoreAway, CopyMoved) as error:
        writer.rest_after(error)
        return False
    return True


def test_a_store_that_lost_everything_is_filled_again(
    followed: Shop, kit: Kit, writer: Writer, place: Place
) -> None:
    place("pending")
    settle(writer)
    kit.server.empty()
    kit.prepare()
    order_id = place("paid")
    wait_until(lambda: goes_on(writer), "the store answers")
    settle(writer)
    projection = projection_of(kit)

    with followed.lent() as connection:
        found = compare(
            connection, kit.store, projection, kit.serving(projection), is_full=True
        )
    assert found.differences == []
    rows = kit.rows(projection, [order_id])
    assert kit.may_lack_rows or rows[order_id].row is not None
