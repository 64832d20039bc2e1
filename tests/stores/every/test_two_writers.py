"""Two writers write a store at the same time, as if no lock kept one of them out."""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from domain.customers.commands import ChangeCustomerDetails
from eventstore.errors.stores import CopyMoved, OutdatedWriter
from eventstore.projections.changes import RowChange
from eventstore.stores.comparison import compare
from eventstore.stores.row_store import Copy, Refusal, RowStore
from eventstore.stores.writer import Writer
from readmodels.stores.documents import store as document_store
from readmodels.stores.documents.updates import update_of
from readmodels.stores.hot import store as hot_store
from readmodels.stores.hot.scripts import WRITE, Script
from readmodels.stores.postgres.statements import CopyTables
from readmodels.stores.search import bulk
from tasks.shop.connections import connect
from tasks.shop.wiring import Shop
from tests.stores.every.conftest import Kit
from tests.support.fed_store import settle, written
from tests.support.store_load import CUSTOMERS, Load

pytestmark = [pytest.mark.stores, pytest.mark.races]

LONGEST_PAUSE = 1.0
SECONDS = 8.0
RENAMED = CUSTOMERS[:2]


class Renames(Load):
    """A load that changes the same few rows all the time."""

    def one(self, chance: random.Random) -> Any:
        name = f"Name {chance.randint(0, 10**6)}"
        customer_id = chance.choice(RENAMED)
        return ChangeCustomerDetails(customer_id=customer_id, name=name)


class PausingStore:
    """A store whose writer stands still, at times, with a page in its hands."""

    def __init__(self, store: RowStore, seed: int) -> None:
        self.store = store
        # The one that the test watches alone: its rows are written the more often.
        self.projections = [one for one in store.projections if one.name == "customers"]
        self.chance = random.Random(seed)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def write(
        self, copy: Copy, changes: Sequence[RowChange], newest: int
    ) -> Sequence[Refusal]:
        time.sleep(self.chance.choice((0, self.chance.random() * LONGEST_PAUSE)))
        return self.store.write(copy, changes, newest)


@dataclass
class Watched:
    """The numbers of changes that some rows were seen with, and what went back."""

    looks: int = 0
    steps: int = 0
    decreases: list[str] = field(default_factory=list)
    last: dict[tuple[str, Any], int] = field(
        default_factory=lambda: defaultdict(lambda: -1)
    )

    def look(self, kit: Kit, store: RowStore) -> None:
        projection = next(one for one in store.projections if one.name == "customers")
        copy = kit.serving(projection)
        for key, stored in store.read(copy, RENAMED).items():
            place = copy.name(), key
            if stored.change < self.last[place]:
                self.decreases.append(f"{key}: {self.last[place]} to {stored.change}")
            self.steps += stored.change > self.last[place]
            self.last[place] = stored.change
        self.looks += 1


@contextmanager
def writing(shop: Shop, store: RowStore) -> Iterator[None]:
    """Write a store by a thread, without asking whose turn it is."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while not stop.is_set():
                with closing(connect(shop.settings.database_url, "relay")) as session:
                    try:
                        Writer(store, session).run(lambda: False, stop)
                    except OutdatedWriter:
                        stop.wait(0.1)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert failures == []


def race(shop: Shop, kit: Kit) -> Watched:
    """Have two writers write under load, and watch; return what was seen."""
    watched, seen = Watched(), kit.open()
    load = Renames(shop)
    load.begin()
    with written(shop, kit.store) as writer:
        settle(writer)
    others: list[Any] = [PausingStore(kit.open(), seed) for seed in (1, 2)]
    with writing(shop, others[0]), writing(shop, others[1]), load.running():
        until = time.monotonic() + SECONDS
        while time.monotonic() < until or watched.steps < 30:
            try:
                watched.look(kit, seen)
            except (CopyMoved, AssertionError):
                time.sleep(0.01)
    print(
        f"\n{kit.name}: {load.sent} commands, {watched.looks} looks,"
        f" {watched.steps} newer rows, {len(watched.decreases)} older ones"
    )
    return watched


def test_of_two_writers_none_puts_an_older_row_over_a_newer_one(
    followed: Shop, kit: Kit
) -> None:
    watched = race(followed, kit)
    with written(followed, kit.store) as writer:
        settle(writer)
    with followed.lent() as connection:
        for one in kit.store.projections:
            copy = kit.serving(one)
            found = compare(connection, kit.store, one, copy, is_full=True)
            assert found.differences == []
    assert watched.decreases == []


def test_without_the_guard_of_a_row_an_older_one_is_seen(
    followed: Shop, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the test above finds: the condition of each write is taken away here."""
    unguard(kit.name, monkeypatch)
    assert race(followed, kit).decreases


def unguard(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the writes of a store replace whatever is there."""
    match name:
        case "hot":
            text = WRITE.text.replace("change >= stored", "true")
            assert text != WRITE.text
            monkeypatch.setattr(hot_store, "WRITE", Script(text))
        case "search":
            lines = bulk.lines

            def unversioned(batch: Any) -> Iterator[bytes]:
                for line in lines(batch):
                    head, _, _ = line.partition(b',"version":')
                    yield head + b"}}" if line.startswith(b'{"index"') else line

            monkeypatch.setattr(bulk, "lines", unversioned)
        case "documents":

            def unconditional(change: RowChange, document: Any) -> Any:
                update = update_of(change, document)
                del update["q"]["_change"]
                return update

            monkeypatch.setattr(document_store, "update_of", unconditional)
        case _:
            make = CopyTables.text

            def unconditional_text(
                self: CopyTables, statement: Any, **parts: Any
            ) -> Any:
                guard = "WHERE c.change <= EXCLUDED.change"
                return make(self, statement.replace(guard, ""), **parts)

            monkeypatch.setattr(CopyTables, "text", unconditional_text)
