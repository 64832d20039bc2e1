"""A store is given another form of its rows while it is written and asked."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from flask import Flask

from eventstore.projections.projection import Projection
from eventstore.stores import registry
from eventstore.stores.comparison import compare
from eventstore.stores.registry import CopyStanding
from eventstore.stores.row_store import RowStore
from eventstore.stores.writer import Writer
from readmodels.stores.search.forms import ORDERS
from readmodels.stores.search.store import SearchStore
from tasks.shop.connections import connect
from tasks.shop.wiring import Shop
from tests.stores.every.conftest import Kit
from tests.support.fed_store import settle, written
from tests.support.store_load import Load, Queries
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.stores, pytest.mark.races]

ADDRESSES = ["/api/orders?q=clock", "/api/orders?q=nam", "/orders?q=7"]
OTHER = replace(ORDERS, filters=[*ORDERS.filters, "currency"])
"""A form with one more field."""


@dataclass
class Steps:
    """When a copy was first seen begun, filled and compared, and put in place."""

    began: float = field(default_factory=time.monotonic)
    seen: dict[str, float] = field(default_factory=dict)

    def note(self, name: str) -> None:
        self.seen.setdefault(name, time.monotonic() - self.began)


@contextmanager
def writing(shop: Shop, store: RowStore) -> Iterator[None]:
    """Write a store by a thread of its own, as the relay's child does."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with closing(connect(shop.settings.database_url, "relay")) as session:
                assert registry.take_turn(session, store.name)
                Writer(store, session).run(lambda: False, stop)
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


def standing(shop: Shop, read_model: str) -> CopyStanding:
    with shop.lent() as connection:
        found = registry.find_copy_standings(connection)
    return next(one for one in found if one.read_model == read_model)


def shown_by_alias(store: SearchStore, projection: Projection) -> set[str]:
    found: dict[str, Any] = store.client.read(
        store.ask("GET", f"/_alias/{store.prefix}-{projection.name}", None), dict
    )
    return set(found)


def follow_change(
    shop: Shop, store: SearchStore, old: int | None, steps: Steps
) -> None:
    """Watch until another copy than *old* answers, and note when each step was seen."""
    name = OTHER.projection.name
    compared_before = standing(shop, name).compared_at

    def is_done() -> bool:
        now = standing(shop, name)
        if now.upcoming is not None:
            steps.note("begun")
        if now.compared_at != compared_before:
            steps.note("compared")
        shelf = store.load_shelf(name)
        if shelf is None or shelf.serving is None or shelf.serving.number == old:
            return False
        steps.note("in place")
        return True

    wait_until(is_done, "another copy answers", seconds=60)
    shelf = store.load_shelf(name)
    assert shelf is not None
    assert shelf.serving is not None
    wanted = {store.index_of(shelf.serving)}
    # The alias is moved behind the shelf, which says what it must show.
    wait_until(
        lambda: shown_by_alias(store, OTHER.projection) == wanted, "the alias moves"
    )
    steps.note("alias moved")


def test_another_form_is_put_in_place_and_taken_back_under_load(
    followed: Shop, kit: Kit, app: Flask
) -> None:
    if not isinstance(kit.store, SearchStore):
        pytest.skip("the form of this store is that of the read model")
    name = OTHER.projection.name
    url = kit.server.url
    other = SearchStore(url, followed.identity, [OTHER])
    watching = SearchStore(url, followed.identity)
    load, queries = Load(followed), Queries(app, ADDRESSES)
    load.begin()
    with written(followed, kit.store) as writer:
        settle(writer)
    old = kit.serving(OTHER.projection)
    forward, back = Steps(), Steps()
    with load.running(), queries.running():
        with writing(followed, kit.open()):
            time.sleep(1.5)
        with writing(followed, other):
            forward = Steps()
            follow_change(followed, watching, old.number, forward)
            new = kit.serving(OTHER.projection)
            time.sleep(1.5)
            back = Steps()
            with followed.lent() as connection:
                registry.order(connection, kit.name, name, "rollback")
            follow_change(followed, watching, new.number, back)
            time.sleep(1.5)
    with written(followed, kit.store) as writer:
        settle(writer)
    with followed.lent() as connection:
        found = compare(connection, kit.store, OTHER.projection, old, is_full=True)
    print(
        f"\nnew form: {load.sent} commands, queries {dict(queries.statuses)} from"
        f" {dict(queries.stores)}; forward {rounded(forward)}, back {rounded(back)};"
        f" {found.rows} rows compared, {len(found.differences)} differ"
    )
    assert new.shape == OTHER.shape != old.shape
    assert kit.serving(OTHER.projection) == old
    assert found.differences == []
    assert standing(followed, name).differences == 0
    assert set(queries.statuses) == {200}
    assert queries.stores[kit.name] > 0
    for store in (other, watching):
        store.close()


def rounded(steps: Steps) -> dict[str, float]:
    return {name: round(seconds, 2) for name, seconds in steps.seen.items()}
