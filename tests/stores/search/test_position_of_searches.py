"""A search says which position its rows have, and has them come into view if asked."""

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from eventstore.errors.stores import StoreAway
from eventstore.projections.changes import RowChange
from eventstore.stores.row_store import Checkpoint, Copy, Shelf
from readmodels.stores.search import queries
from readmodels.stores.search.one_search import Search
from readmodels.stores.search.queries import Behind, FoundPage, Searches
from readmodels.stores.search.store import SearchStore
from tests.stores.search.conftest import new_copy
from tests.support.fed_store import PATIENCE
from tests.support.order_rows import order

pytestmark = pytest.mark.stores


@dataclass
class Fed:
    """A copy that answers, fed by hand, whose rows come into view only on demand."""

    store: SearchStore
    searches: Searches
    copy: Copy
    known: Checkpoint = field(default_factory=Checkpoint)

    def feed(self, position: int, *rows: Any) -> None:
        """Write rows with the change *position*, and then the checkpoint."""
        changes = [RowChange(row.order_id, position, position, row) for row in rows]
        self.store.write(self.copy, changes, position)
        reached = Checkpoint(change=position, key=1, position=position, parked=2)
        self.store.save_checkpoint(self.copy, reached, self.known)
        self.known = reached

    def find(self, text: str, min_position: int = 0) -> FoundPage[Any] | Behind:
        return self.searches.find_orders(text, min_position=min_position)


@pytest.fixture
def fed(store: SearchStore) -> Fed:
    return Fed(store, Searches(store, PATIENCE), serving(store, 1))


def serving(store: SearchStore, number: int) -> Copy:
    """Make a copy that answers, and whose server refreshes nothing by itself."""
    copy = new_copy(store, number)
    store.make(copy)
    path = f"/{store.index_of(copy)}/_settings"
    store.ask("PUT", path, {"index.refresh_interval": "-1"})
    store.refresh(copy)
    store.save_shelf("order_list", Shelf(serving=copy), number)
    return copy


def numbers(found: FoundPage[Any] | Behind) -> list[int]:
    assert isinstance(found, FoundPage)
    return [row.order_id for row in found.page.rows]


@pytest.fixture
def refreshed(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """An entry for each refresh that a search has asked for."""
    entries: list[float] = []
    refresh = Search.refresh

    def count(search: Search) -> None:
        entries.append(search.end)
        refresh(search)

    monkeypatch.setattr(Search, "refresh", count)
    return entries


def test_a_search_has_the_position_that_it_sees(fed: Fed) -> None:
    fed.feed(5, order(1))
    found = fed.find("berlin")
    assert isinstance(found, FoundPage)
    # Written, and not in view.
    assert (numbers(found), found.position, found.parked) == ([], 0, 0)

    fed.store.refresh(fed.copy)
    found = fed.find("berlin")
    assert isinstance(found, FoundPage)
    assert (numbers(found), found.position, found.parked) == ([1], 5, 2)
    # Where nothing is found, too.
    nothing = fed.find("nothing", min_position=5)
    assert isinstance(nothing, FoundPage)
    assert (numbers(nothing), nothing.position, nothing.parked) == ([], 5, 2)


def test_rows_come_into_view_for_a_position_that_is_asked_for(
    fed: Fed, refreshed: list[float]
) -> None:
    fed.feed(5, order(1))
    assert numbers(fed.find("berlin", min_position=5)) == [1]
    assert numbers(fed.find("berlin", min_position=5)) == [1]
    assert len(refreshed) == 1


def test_a_position_that_is_not_written_needs_no_refresh(
    fed: Fed, refreshed: list[float]
) -> None:
    fed.feed(5, order(1))
    assert fed.find("berlin", min_position=6) == Behind(0)
    assert refreshed == []


def test_rows_come_into_view_ten_times_a_second_at_most(
    fed: Fed, refreshed: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    fed.feed(5, order(1))
    assert numbers(fed.find("berlin", min_position=5)) == [1]
    monkeypatch.setattr(queries, "SECONDS_BETWEEN_REFRESHES", 3_600.0)
    fed.feed(6, order(2))
    assert fed.find("berlin", min_position=6) == Behind(5)
    assert len(refreshed) == 1

    monkeypatch.setattr(queries, "SECONDS_BETWEEN_REFRESHES", 0.0)
    assert sorted(numbers(fed.find("berlin", min_position=6))) == [1, 2]


def test_threads_that_ask_at_once_share_a_refresh(
    fed: Fed, refreshed: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one is held until all others wait for it."""
    monkeypatch.setattr(queries, "SECONDS_BETWEEN_REFRESHES", 3_600.0)
    fed.feed(5, order(1))
    waiting = threading.Semaphore(0)
    show, written = queries.Refreshes.show, Search.written

    def arrive(refreshes: Any, search: Search, position: int) -> bool:
        waiting.release()
        return show(refreshes, search, position)

    def wait_for_all(search: Search) -> Checkpoint:
        for _ in range(4):
            assert waiting.acquire(timeout=PATIENCE)
        return written(search)

    monkeypatch.setattr(queries.Refreshes, "show", arrive)
    monkeypatch.setattr(Search, "written", wait_for_all)
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(fed.find("berlin", 5)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [numbers(one) for one in found] == [[1]] * 4
    assert len(refreshed) == 1


def test_deleted_rows_are_not_found(fed: Fed) -> None:
    fed.feed(5, order(1), order(2))
    fed.store.write(fed.copy, [RowChange(1, 6, 6, None)], 6)
    fed.store.refresh(fed.copy)
    assert numbers(fed.find("berlin")) == [2]


def test_without_a_copy_the_store_is_away(fed: Fed) -> None:
    fed.store.save_shelf("order_list", Shelf(), 2)
    with pytest.raises(StoreAway, match="no copy"):
        fed.find("berlin")


def test_a_copy_without_its_checkpoint_is_not_whole(fed: Fed) -> None:
    fed.feed(5, order(1))
    fed.store.ask("DELETE", f"/{fed.store.index_of(fed.copy)}/_doc/~checkpoint", None)
    fed.store.refresh(fed.copy)
    with pytest.raises(StoreAway, match="no checkpoint"):
        fed.find("berlin")


def test_the_alias_moves_while_it_is_asked(fed: Fed) -> None:
    """Each answer is from one copy or from the other, and none is empty."""
    other = Fed(fed.store, fed.searches, serving(fed.store, 2))
    fed.feed(5, order(1))
    other.feed(7, order(2))
    for one in (fed, other):
        fed.store.refresh(one.copy)
    is_over = threading.Event()
    found: list[tuple[list[int], int]] = []
    failures: list[BaseException] = []

    def keep_asking() -> None:
        try:
            while not is_over.is_set():
                page = fed.find("berlin")
                assert isinstance(page, FoundPage)
                found.append((numbers(page), page.position))
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=keep_asking) for _ in range(3)]
    for thread in threads:
        thread.start()
    for turn in range(20):
        copy = (fed, other)[turn % 2].copy
        fed.store.save_shelf("order_list", Shelf(serving=copy), 10 + turn)
    is_over.set()
    for thread in threads:
        thread.join()

    assert failures == []
    assert {tuple(rows) for rows, _ in found} == {(1,), (2,)}
    assert {(rows[0], position) for rows, position in found} == {(1, 5), (2, 7)}
