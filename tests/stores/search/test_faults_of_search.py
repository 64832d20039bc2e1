"""
The search server is killed or paused, or loses a part, and what it says then.

What every store must bear under load is in tests/stores/every.
"""

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from eventstore.errors.stores import StoreAway
from eventstore.projections.changes import RowChange
from eventstore.stores.row_store import Checkpoint, Copy, Shelf, StoredRow
from readmodels.stores.search.client import SECONDS_TO_ANSWER
from readmodels.stores.search.queries import FoundPage, Searches
from readmodels.stores.search.store import SearchStore
from tests.stores.search.conftest import new_copy
from tests.stores.servers.server import PATIENCE, GivenServer, Server
from tests.support.order_rows import order

pytestmark = pytest.mark.stores


@pytest.fixture
def server(search_server: Server) -> Server:
    """A server that a test may end."""
    if isinstance(search_server, GivenServer):
        pytest.skip("a server that was given by its address is not ended")
    return search_server


@pytest.fixture
def copy(store: SearchStore) -> Copy:
    """A copy that answers, with an order."""
    copy = new_copy(store)
    store.make(copy)
    store.save_shelf("order_list", Shelf(serving=copy), 1)
    store.write(copy, [RowChange(1, 1, 1, order(1))], 1)
    store.save_checkpoint(copy, REACHED, Checkpoint())
    return copy


REACHED = Checkpoint(change=1, key=1, position=1)


def test_what_was_written_is_there_after_a_kill(
    server: Server, store: SearchStore, copy: Copy
) -> None:
    store.write(copy, [RowChange(2, 2, 2, order(2))], 2)
    server.kill()
    with pytest.raises(StoreAway, match="no connection"):
        store.read(copy, [1])
    with pytest.raises(StoreAway):
        Searches(store).find_orders("berlin")

    server.start()
    assert store.load_checkpoint(copy) == REACHED
    assert store.read(copy, [1, 2]) == {
        1: StoredRow(1, order(1)),
        2: StoredRow(2, order(2)),
    }
    # An older row is refused by what was read back from the disk.
    store.write(copy, [RowChange(2, 1, 1, order(2, "Older"))], 1)
    assert store.read(copy, [2]) == {2: StoredRow(2, order(2))}
    found = Searches(store, PATIENCE).find_orders("berlin", min_position=1)
    assert isinstance(found, FoundPage)
    assert {row.order_id for row in found.page.rows} == {1, 2}


def test_a_paused_server_delays_no_search(
    server: Server, store: SearchStore, copy: Copy
) -> None:
    searches = Searches(store)
    Searches(store, PATIENCE).find_orders("berlin")
    server.pause()
    for _ in range(3):
        begun = time.monotonic()
        with pytest.raises(StoreAway, match="in time"):
            searches.find_orders("berlin", min_position=1)
        # The time is of the test's machine, which may be busy with other tests.
        assert time.monotonic() - begun < SECONDS_TO_ANSWER + 0.5
    server.resume()

    patient = Searches(store, PATIENCE)
    assert isinstance(patient.find_orders("berlin", min_position=1), FoundPage)


def test_an_index_that_lost_its_shards_is_not_empty(
    server: Server, store: SearchStore, copy: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there without its rows: no answer may say that nothing was found."""
    index = store.index_of(copy)
    found = json.loads(store.ask("GET", f"/{index}/_settings", None).body)
    uuid = found[index]["settings"]["index"]["uuid"]
    server.kill()
    [shard] = server.folder.glob(f"nodes/*/indices/{uuid}/0")
    shutil.rmtree(shard)
    with monkeypatch.context() as patched:
        # The cluster as a whole is red from here on.
        patched.setattr(server, "answers", lambda: speaks(server.url))
        server.start()

    def ask_all() -> Iterator[Any]:
        yield lambda: Searches(store, PATIENCE).find_orders("berlin")
        yield lambda: store.load_checkpoint(copy)
        yield lambda: store.count(copy)
        yield lambda: store.read(copy, [1])
        yield lambda: store.keys_behind(copy, 1, 10)

    for question in ask_all():
        with pytest.raises(StoreAway):
            question()

    # What an operator does: without the index the feeder fills another one.
    store.drop(copy)
    assert store.load_checkpoint(copy) is None


def speaks(url: str) -> bool:
    """Return whether a server has recovered its list of indexes."""
    try:
        with urllib.request.urlopen(f"{url}/_cluster/health", timeout=5) as response:
            return bool(json.load(response)["unassigned_shards"])
    except OSError:
        return False


def test_what_is_dropped_leaves_the_files(
    server: Server, store: SearchStore, copy: Copy
) -> None:
    name = f"Zacharias{uuid4().hex[:8]}"
    store.write(copy, [RowChange(7, 7, 7, order(7, name))], 7)
    store.ask("POST", f"/{store.index_of(copy)}/_flush?force=true", None)
    assert files_with(name, server.folder)

    store.drop(copy)
    end = time.monotonic() + PATIENCE
    while files_with(name, server.folder):
        assert time.monotonic() < end
        time.sleep(0.1)


def files_with(text: str, folder: Path) -> list[str]:
    """Return the files that have *text*, in small letters or not."""
    command = ["grep", "-rlai", "--", text, str(folder)]
    return subprocess.run(command, capture_output=True, text=True).stdout.split()
