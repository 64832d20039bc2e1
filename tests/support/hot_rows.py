"""Rows of a cache in tests: written with a number of a change, found, and evicted."""

from eventstore.projections.changes import RowChange
from eventstore.stores.row_store import Copy
from readmodels.stores.hot.store import HotStore
from tests.support.shared_passes import Total


def change(number: int, key: str = "a", total: int | None = None) -> RowChange:
    amount = number if total is None else total
    return RowChange(key, number, 1, Total(counter=key, total=amount, group=None))


def found(store: HotStore, copy: Copy, key: str = "a") -> int | None:
    """The number of the change that is there."""
    stored = store.read(copy, [key]).get(key)
    return None if stored is None else stored.change


def evict(store: HotStore, copy: Copy, key: str = "a") -> None:
    assert store.connection.client.delete(store.names.row(copy.name(), key))


def texts(store: HotStore, text: str) -> int:
    """How many values of this shop have *text*."""
    begin = f"{store.names.prefix}:".encode()
    client = store.connection.client
    keys = [key for key in client.scan_iter(count=1_000) if key.startswith(begin)]
    dumps = [client.get(key) for key in keys if client.type(key) == b"string"]
    return sum(text.encode() in dump for dump in dumps)
