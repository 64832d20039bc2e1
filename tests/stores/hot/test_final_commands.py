"""What became of a command is kept aside for a minute, if that is final."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from eventstore.journal import entries
from eventstore.journal.entries import Entry
from readmodels.stores.hot.final_commands import (
    SECONDS_KEPT,
    find_command,
    keep_command,
)
from readmodels.stores.hot.store import HotStore
from tasks import commands
from tasks.accept import accept
from tasks.shop.wiring import Shop
from tests.support import desk
from tests.support.hot_rows import texts


def entry_of(shop: Shop, command: Any, key: str, *, runs: bool = True) -> Entry:
    accepted = accept(shop, command, key=key, principal="staff")
    if runs:
        commands.run(shop, [accepted.command_id])
    with shop.autocommitting.connect() as connection:
        entry = entries.find(connection, accepted.command_id)
    assert entry is not None
    return entry


def test_only_what_became_of_a_command_for_good_is_kept(
    shop: Shop, shop_store: HotStore
) -> None:
    done = entry_of(shop, desk.alice, "1")
    refused = entry_of(shop, desk.pay, "2")
    waiting = entry_of(shop, desk.bob, "3", runs=False)
    with shop.autocommitting.connect() as connection:
        events = entries.find_events(connection, done)
    assert (done.status, refused.status) == ("succeeded", "rejected")
    assert keep_command(shop_store, done, events)
    assert keep_command(shop_store, refused, [])
    for status in ("accepted", "failed", "abandoned", "cancelled"):
        assert not keep_command(shop_store, replace(waiting, status=status), [])

    found = find_command(shop_store, done.id)
    assert found is not None
    assert list(found.events) == events
    for name in ("id", "type", "stream_id", "principal", "status", "position"):
        assert getattr(found, name) == getattr(done, name)
    assert (found.accepted_at, found.finished_at) == (
        done.accepted_at,
        done.finished_at,
    )
    told = find_command(shop_store, refused.id)
    assert told is not None
    assert told.error is not None
    assert told.error["message"] == (refused.error or {})["message"]
    assert find_command(shop_store, waiting.id) is None
    assert find_command(shop_store, uuid4()) is None


def test_what_was_sent_with_a_command_is_not_kept_and_the_rest_for_a_minute(
    shop: Shop, shop_store: HotStore
) -> None:
    done = entry_of(shop, desk.alice, "1")
    keep_command(shop_store, replace(done, data={"name": "Alice Kingsleigh"}), [])

    assert texts(shop_store, "Alice Kingsleigh") == 0
    key = shop_store.names.command(done.id)
    assert 0 < shop_store.connection.client.pttl(key) <= SECONDS_KEPT * 1_000
