"""Writing a cache: what is refused, what goes away, and what nobody else is shown."""

import time
from itertools import product
from typing import Any

import msgspec
import pytest

from eventstore.errors.stores import CopyMoved, OutdatedWriter
from eventstore.stores.row_store import Checkpoint, Copy, Shelf, StoredRow
from readmodels.stores.hot import store as hot
from readmodels.stores.hot.connection import client_url
from readmodels.stores.hot.scripts import WRITE, Script
from readmodels.stores.hot.store import HotStore
from tests.stores.servers.server import Server
from tests.support.hot_rows import change, evict, found
from tests.support.shared_passes import Total

EXACT = 2**53
"""Up to here a Lua number is exact."""


def without_floor(monkeypatch: pytest.MonkeyPatch) -> None:
    text = WRITE.text.replace("ARGV[2] >= floor", "true")
    assert text != WRITE.text
    monkeypatch.setattr(hot, "WRITE", Script(text))


def test_a_row_is_not_replaced_by_an_older_one_beyond_what_lua_counts(
    store: HotStore, copy: Copy
) -> None:
    numbers = [EXACT - 1, EXACT, EXACT + 1, EXACT + 2, 10**16, 2**63 - 1]
    for place, (first, second) in enumerate(product(numbers, numbers)):
        key = f"k{place}"
        store.write(copy, [change(first, key)], 2**63 - 1)
        store.write(copy, [change(second, key)], 2**63 - 1)
        assert found(store, copy, key) == max(first, second)


def test_the_same_change_may_be_written_again(store: HotStore, copy: Copy) -> None:
    store.write(copy, [change(200, total=1)], 200)
    store.write(copy, [change(200, total=2)], 200)

    assert store.read(copy, ["a"]) == {"a": StoredRow(200, change(200, total=2).row)}


def test_a_deleted_row_leaves_a_mark_that_keeps_older_ones_out(
    store: HotStore, copy: Copy
) -> None:
    store.write(copy, [change(200)._replace(row=None)], 200)
    store.write(copy, [change(150)], 200)

    assert store.read(copy, ["a"]) == {"a": StoredRow(200, None)}


def test_an_evicted_row_does_not_come_back_as_it_was_before(
    store: HotStore, copy: Copy
) -> None:
    """A reader, or a writer that was paused, read it before a change."""
    store.write(copy, [change(200)], 200)
    evict(store, copy)

    store.write(copy, [change(150)], 199)
    assert found(store, copy) is None

    store.write(copy, [change(200)], 200)
    assert found(store, copy) == 200


def test_without_the_floor_an_evicted_row_comes_back_as_it_was_before(
    store: HotStore, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""
    without_floor(monkeypatch)
    store.write(copy, [change(200)], 200)
    evict(store, copy)
    store.write(copy, [change(150)], 199)

    assert found(store, copy) == 150


def test_a_row_that_was_read_before_the_checkpoint_is_not_taken(
    store: HotStore, copy: Copy
) -> None:
    store.write(copy, [change(50)], 99)
    assert found(store, copy) is None
    store.write(copy, [change(50)], 100)
    assert found(store, copy) == 50


def test_a_row_that_is_there_is_replaced_whatever_readers_have_put_in_since(
    store: HotStore, copy: Copy
) -> None:
    """Else it would stay old, and the checkpoint would go on."""
    store.write(copy, [change(150)], 150)
    # The feeder reads change 200 of a; a reader is faster with a later one of b.
    store.write(copy, [change(300, "b")], 300)
    store.write(copy, [change(200)], 200)

    assert found(store, copy) == 200


def test_a_copy_whose_meta_was_evicted_takes_nothing(
    store: HotStore, copy: Copy
) -> None:
    store.write(copy, [change(200)], 200)
    store.connection.client.delete(store.names.meta("totals"))

    with pytest.raises(CopyMoved):
        store.write(copy, [change(300), change(300, "b")], 300)
    assert store.load_checkpoint(copy) is None
    assert (found(store, copy), found(store, copy, "b")) == (200, None)
    with pytest.raises(CopyMoved):
        store.save_checkpoint(copy, Checkpoint(), Checkpoint(change=100, key="a"))


def test_a_checkpoint_is_stored_only_in_place_of_the_known_one(
    store: HotStore, copy: Copy
) -> None:
    here = Checkpoint(change=100, key="a")
    then = Checkpoint(change=200, key="b", certified_at=1.1, position=7)
    store.save_checkpoint(copy, then, here)
    with pytest.raises(CopyMoved):
        store.save_checkpoint(copy, Checkpoint(change=300), here)

    assert store.load_checkpoint(copy) == then


def test_a_checkpoint_of_other_code_is_recognised(store: HotStore, copy: Copy) -> None:
    """Code that is newer writes a field more, and an older one's order is another."""
    known = Checkpoint(change=100, key="a")
    fields = {**msgspec.to_builtins(known), "later": 1}
    text = msgspec.json.encode(dict(sorted(fields.items(), reverse=True)))
    meta = store.names.meta("totals")
    store.connection.client.hset(meta, f"checkpoint {copy.name()}", text)

    store.save_checkpoint(copy, Checkpoint(change=200), known)
    assert store.load_checkpoint(copy) == Checkpoint(change=200)


def test_a_shelf_is_not_stored_by_an_earlier_writer(
    store: HotStore, copy: Copy
) -> None:
    assert store.load_shelf("totals") is None
    store.save_shelf("totals", Shelf(serving=copy), EXACT + 1)
    with pytest.raises(OutdatedWriter):
        store.save_shelf("totals", Shelf(), EXACT)

    assert store.load_shelf("totals") == Shelf(serving=copy)


def test_a_dropped_copy_leaves_nothing_and_others_stay(
    store: HotStore, copy: Copy, cache_server: Server
) -> None:
    # Its pattern would match, if its characters were not escaped.
    other = HotStore(cache_server.url, store.names.prefix.replace("[*?]", "*"))
    store.write(copy, [change(200 + n, f"k{n}") for n in range(3_000)], 4_000)
    other.connection.client.set(other.names.row(copy.name(), "k1"), "other")
    assert store.count(copy) == 3_000
    store.drop(copy)

    assert store.count(copy) == 0
    assert store.find_copies("totals") == []
    assert other.connection.client.get(other.names.row(copy.name(), "k1"))
    with pytest.raises(CopyMoved):
        store.write(copy, [change(9_000)], 9_000)


def test_copies_are_found_whose_meta_is_gone(store: HotStore, copy: Copy) -> None:
    store.write(copy, [change(200)], 200)
    longer = msgspec.structs.replace(copy, read_model="totals_x")
    store.make(longer)
    store.connection.client.set(store.names.row(longer.name(), "a"), "x")
    store.connection.client.delete(store.names.meta("totals"))

    assert store.find_copies("totals") == [copy.name()]


def test_rows_go_by_themselves(store: HotStore, copy: Copy) -> None:
    store.write(copy, [change(200)], 200)
    row = store.names.row(copy.name(), "a")
    life = hot.SECONDS_TO_LIVE * 1_000
    assert life - 60_000 < store.connection.client.pttl(row) <= life

    store.milliseconds_to_live = 20
    store.write(copy, [change(200)], 200)
    until = time.monotonic() + 60
    while found(store, copy) is not None:
        assert time.monotonic() < until
    # Nor does it come back as it was before.
    store.write(copy, [change(150)], 199)
    assert found(store, copy) is None


def test_a_row_that_is_too_long_is_refused_and_the_others_go_in(
    store: HotStore, copy: Copy
) -> None:
    long = change(201, "long")
    long = long._replace(row=Total(counter="x" * hot.MAX_BYTES, total=1, group=None))
    store.write(copy, [change(200, "long")], 200)
    [refusal] = store.write(copy, [change(202), long, change(203, "b")], 203)

    assert (refusal.key, refusal.change) == ("long", 201)
    assert store.read(copy, ["long"]) == {"long": StoredRow(201, None)}
    assert (found(store, copy), found(store, copy, "b")) == (202, 203)


def test_a_page_of_long_rows_is_written_in_parts(store: HotStore, copy: Copy) -> None:
    rows = [
        change(200 + n, f"k{n}")._replace(
            row=Total(counter="x" * 100_000, total=n, group=None)
        )
        for n in range(20)
    ]
    assert store.write(copy, rows, 300) == []

    assert len(store.read(copy, [row.key for row in rows])) == 20


def test_a_walk_has_all_keys(store: HotStore, copy: Copy) -> None:
    wanted = {f"k{n}" for n in range(2_500)}
    store.write(copy, [change(200, key) for key in sorted(wanted)], 200)
    seen: list[Any] = []
    last = None
    while keys := store.keys_behind(copy, last, 700):
        assert len(keys) <= 700
        seen += keys
        last = keys[-1]

    assert set(seen) == wanted
    with pytest.raises(ValueError, match="not begun"):
        store.keys_behind(copy, "k1", 700)


def test_a_url_is_read_as_celery_and_redis_write_it() -> None:
    assert client_url("redis+socket:///a/b.sock") == "unix:///a/b.sock?db=0"
    assert client_url("redis+socket:///a?virtual_host=3") == "unix:///a?db=3"
    for url in ("redis://h:1/2", "rediss://u:p@h/0", "unix:///a?db=1", "redis://h"):
        assert client_url(url) == url
    for url in ("http://h", "amqp://h", "redis://h/x", "h:6379", "redis://h:x/0", ""):
        with pytest.raises(ValueError):  # noqa: PT011 - any of urllib's, too
            client_url(url)
