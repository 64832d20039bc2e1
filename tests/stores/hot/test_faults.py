"""A cache that is full, stands still, or was killed is away, and at once."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from eventstore.errors.stores import CopyMoved, StoreAway
from eventstore.stores.row_store import Checkpoint, Copy, Shelf
from readmodels.stores.hot.store import HotStore
from tests.stores.servers.server import Server
from tests.support.hot_rows import change, found
from tests.support.row_follower import totals


@contextmanager
def full(store: HotStore) -> Iterator[None]:
    """Have the server take no more, as one that may not evict and is full."""
    client = store.connection.client
    before = client.config_get("maxmemory*")
    client.config_set("maxmemory-policy", "noeviction")
    client.config_set("maxmemory", 1)
    try:
        yield
    finally:
        for name in ("maxmemory", "maxmemory-policy"):
            client.config_set(name, before[name])


def test_a_full_server_is_away_and_keeps_what_it_has(
    store: HotStore, copy: Copy
) -> None:
    store.write(copy, [change(200)], 200)
    with full(store):
        with pytest.raises(StoreAway, match="OutOfMemory") as raised:
            store.write(copy, [change(300), change(300, "b")], 300)
        assert "Total" not in str(raised.value)
        assert (found(store, copy), found(store, copy, "b")) == (200, None)
        with pytest.raises(StoreAway):
            store.save_checkpoint(copy, Checkpoint(), Checkpoint(change=100, key="a"))

    store.write(copy, [change(300)], 300)
    assert found(store, copy) == 300


def test_a_server_that_stands_still_costs_a_fifth_of_a_second(
    store: HotStore, copy: Copy, cache_server: Server
) -> None:
    fresh = HotStore(cache_server.url, store.names.prefix, [totals])
    for one in (store, fresh):
        if one is store:
            one.load_shelf("totals")
        cache_server.pause()
        try:
            start = time.monotonic()
            with pytest.raises(StoreAway):
                one.load_shelf("totals")
            seconds = time.monotonic() - start
        finally:
            cache_server.resume()
        assert 0.1 < seconds < 0.25
    # What the server answers later is not taken for an answer to another question.
    assert store.load_checkpoint(copy) == Checkpoint(change=100, key="a")


def test_a_server_that_was_killed_is_away_and_empty_when_it_is_back(
    store: HotStore, copy: Copy, cache_server: Server
) -> None:
    cache_server.kill()
    for _ in range(2):
        start = time.monotonic()
        with pytest.raises(StoreAway):
            store.write(copy, [change(200)], 200)
        assert time.monotonic() - start < 0.25
    cache_server.start()

    # The first question finds out that the connection is gone, and asks on a new one.
    assert store.load_checkpoint(copy) is None
    with pytest.raises(CopyMoved):
        store.write(copy, [change(200)], 200)


def test_an_error_says_nothing_of_what_was_sent(store: HotStore, copy: Copy) -> None:
    store.connection.client.set(store.names.meta("totals"), "no hash")

    with pytest.raises(StoreAway, match=r"ResponseError \(WRONGTYPE\)") as raised:
        store.save_shelf("totals", Shelf(serving=copy, set_aside="secret"), 1)
    assert "secret" not in str(raised.value)
