"""How long after a commit a store has the row, with its writer in another process."""

import multiprocessing
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from queue import Empty
from typing import Any, TypeAlias

from benchmarks.storing.changes import position_of
from benchmarks.storing.feeding import settle
from benchmarks.storing.report import say, say_times
from benchmarks.storing.stand import FilledShop, peaceful_connect
from eventstore.stores.row_store import RowStore
from readmodels import order_details, order_list
from readmodels.stores.search.queries import Searches
from tasks.shop.settings import settings_from
from tasks.stores.process import StoreThread
from tasks.stores.row_stores import row_stores

RATE = 100
TICKS_A_SECOND = 20
LOOK_AGAIN = 0.002
PATIENCE = 60.0
REPLICA = "replica"
LOOKED_AT = {
    "hot": order_details.projection.name,
    "documents": order_details.projection.name,
    "search": order_list.projection.name,
    "postgres": order_list.projection.name,
    REPLICA: order_list.projection.name,
}
"""The read model whose copy is looked at, by store."""

Variables = Mapping[str, str]
Commits: TypeAlias = "Queue[tuple[int, float] | None]"
_spawn = multiprocessing.get_context("spawn")


def measure_lag(shop: FilledShop, name: str, seconds: float, turns: int) -> None:
    """Print from the commit of rows to their being there, at RATE changes a second."""
    needed = round(RATE * (seconds + 1)) * turns
    if len(shop.changes.steps) < needed:
        shop.changes.place(-(-needed // 3))
    if name != REPLICA:
        with shop.writer(name) as writer:
            settle(writer)
    variables = {} if name == REPLICA else shop.variables(name)
    environment = {**shop.desk.environment, **variables}
    replica = shop.replica_url() if name == REPLICA else ""
    is_over, commits, seen = _spawn.Event(), _spawn.Queue(), _spawn.Queue()
    started = [
        _spawn.Process(
            target=observe,
            args=(environment, shop.identity, name, replica, commits, seen),
        )
    ]
    if name != REPLICA:
        work = (environment, shop.identity, is_over)
        started.append(_spawn.Process(target=write_store, args=work))
    for process in started:
        process.start()
    try:
        run_turns(shop, name, (seconds, turns), commits, seen)
    except Empty:
        say(
            f"e  lag of {name}",
            f"not there after {PATIENCE:.0f} s: {RATE} are too many",
        )
    finally:
        is_over.set()
        commits.put(None)
        for process in started:
            process.join(10)
            process.kill()


def run_turns(
    shop: FilledShop,
    name: str,
    size: tuple[float, int],
    commits: "Commits",
    seen: "Queue[float]",
) -> None:
    seconds, turns = size
    # Both processes have begun when the first change is seen.
    commit_steps(shop, name, 1, commits)
    seen.get(timeout=PATIENCE)
    taken, rates = [], []
    for _ in range(turns):
        began = time.monotonic()
        count = commit_steps(shop, name, round(seconds * TICKS_A_SECOND), commits)
        rates.append(count * RATE / TICKS_A_SECOND / (time.monotonic() - began))
        taken.append([seen.get(timeout=PATIENCE) for _ in range(count)])
    say_times(f"e  lag of {name}, by commits", taken, 99)
    if min(rates) < RATE * 0.9:
        say("", f"only {min(rates):.0f} changes a second were made")


def commit_steps(shop: FilledShop, name: str, ticks: int, commits: "Commits") -> int:
    """Commit changes at RATE, and tell the observer of each commit; return how many."""
    began = time.monotonic()
    for tick in range(ticks):
        time.sleep(max(began + tick / TICKS_A_SECOND - time.monotonic(), 0))
        shop.changes.step(RATE // TICKS_A_SECOND)
        committed = time.monotonic()
        position = position_of(shop.owner, [LOOKED_AT[name]])
        commits.put((position, committed))
    return ticks


def write_store(environment: Variables, identity: str, is_over: Event) -> None:
    """Write the one store of *environment* as the relay's child does."""
    settings = settings_from(environment, "relay")
    [store] = row_stores(settings, identity)
    stop = threading.Event()

    def wait() -> None:
        is_over.wait()
        stop.set()

    threading.Thread(target=wait, daemon=True).start()
    StoreThread(store, settings, stop).run()


def observe(
    environment: Variables,
    identity: str,
    name: str,
    replica: str,
    commits: "Commits",
    seen: "Queue[float]",
) -> None:
    """Look how far the store is, and tell how long each commit took to get there."""
    waiting: deque[tuple[int, float]] = deque()
    with closing(Looker(environment, identity, name, replica)) as looker:
        while True:
            with suppress(Empty):
                while (one := commits.get(block=not waiting)) is not None:
                    waiting.append(one)
                return
            # As one who waits for a commit: the search refreshes for what is written.
            place = looker.look(waiting[0][0])
            now = time.monotonic()
            while waiting and waiting[0][0] <= place:
                seen.put(now - waiting.popleft()[1])
            time.sleep(LOOK_AGAIN)


class Looker:
    """Asks one store for the position up to which all may find its rows."""

    def __init__(
        self, environment: Variables, identity: str, name: str, replica: str
    ) -> None:
        self.look: Callable[[int], int]
        self.end: Callable[[], None]
        if name == REPLICA:
            session: Any = peaceful_connect(replica)
            self.look = lambda _: position_of(session, [LOOKED_AT[name]])
            self.end = session.close
            return
        [store] = row_stores(settings_from(environment, "relay"), identity)
        self.end = store.close
        if name == "search":
            searches = Searches(store, seconds=PATIENCE)  # type: ignore[arg-type]
            self.look = lambda wanted: searched(searches, wanted)
        else:
            self.look = lambda _: reached(store, LOOKED_AT[name])

    def close(self) -> None:
        self.end()


def searched(searches: Searches, wanted: int) -> int:
    """Return the position of a search that asks for the one that is *wanted*."""
    return searches.find_orders("C000001", limit=1, min_position=wanted).position


def reached(store: RowStore, read_model: str) -> int:
    shelf = store.load_shelf(read_model)
    assert shelf is not None
    assert shelf.serving is not None
    checkpoint = store.load_checkpoint(shelf.serving)
    return 0 if checkpoint is None else checkpoint.position
