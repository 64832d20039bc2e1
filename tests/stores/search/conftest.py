"""A search store on the real server, whose indexes are deleted after the test."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest

from eventstore.stores.row_store import Copy
from readmodels.stores.search.forms import ORDERS
from readmodels.stores.search.store import SearchStore
from tests.stores.servers.server import Server

EPOCH = "0a1b2c3d-0000-4000-8000-000000000000"


@pytest.fixture
def store(search_server: Server) -> Iterator[SearchStore]:
    """The store of a shop that no other test has."""
    store = SearchStore(search_server.url, uuid4().hex[:10])
    yield store
    search_server.ensure_running()
    delete_all(store)
    store.close()


def delete_all(store: SearchStore) -> None:
    """Delete all indexes of a shop: few servers delete them by a pattern."""
    found = store.ask("GET", f"/{store.prefix}-*/_settings", None)
    for index in json.loads(found.body):
        store.ask("DELETE", f"/{index}", None, 404)


def new_copy(store: SearchStore, number: int = 1) -> Copy:
    """Return a copy of the list of orders, which is not made yet."""
    return Copy(
        read_model="order_list",
        epoch=EPOCH,
        generation=1,
        shape=store.shape_of(ORDERS.projection),
        number=number,
    )
