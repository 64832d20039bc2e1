"""
One order or one customer from the cache, and how what was not there gets into it.

A row that is found says up to which position it is new enough, and when the copy last
had all changes: whoever asks decides whether that is enough. A row that PostgreSQL does
not have is never kept, nor is one that was deleted answered: ask PostgreSQL.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar, cast

import msgspec
import psycopg

from eventstore.errors.stores import CopyMoved, StoreAway
from eventstore.projections.newest_rows import read_newest
from eventstore.projections.projection import Key, Projection
from eventstore.stores.row_store import Checkpoint, Copy
from readmodels import customers, order_details
from readmodels.customers import CustomerView
from readmodels.order_details import OrderDetailsView
from readmodels.stores.hot.store import HotStore
from readmodels.stores.hot.values import read_row, read_value, write_value

R = TypeVar("R")

_copy = msgspec.json.Decoder(Copy)
_checkpoint = msgspec.json.Decoder(Checkpoint)


@dataclass(frozen=True, slots=True)
class HotRow(Generic[R]):
    """
    A row that has all events up to *position*.

    *certified_at* is when its copy last had all changes, in seconds since 1970 by the
    feeder's clock; None if it never had. *parked* is how many streams are parked for
    the read model: their rows are old in PostgreSQL, too.
    """

    row: R
    position: int
    certified_at: float | None
    parked: int


@dataclass(frozen=True, slots=True)
class Miss:
    """There is no such row, maybe for now: *copy* would take it, None if none would."""

    copy: Copy | None


class ServingCopy(NamedTuple):
    """The copy that answers, and the text from which it was read."""

    written: bytes
    copy: Copy


class HotRows:
    """
    Questions to a cache, for all threads of a process.

    All methods raise StoreAway after 0.2 seconds of silence: it is not asked again.
    """

    def __init__(self, store: HotStore) -> None:
        self.store = store
        # As it was when last asked: so a question needs one exchange with the server.
        self.serving: dict[str, ServingCopy] = {}

    def find_order(self, order_id: int) -> HotRow[OrderDetailsView] | Miss:
        """Return the order with that number, or a miss."""
        return self.find(order_details.projection, OrderDetailsView, order_id)

    def find_customer(self, customer_id: str) -> HotRow[CustomerView] | Miss:
        """Return the customer with that number, or a miss."""
        return self.find(customers.projection, CustomerView, customer_id)

    def fill_order(
        self, connection: psycopg.Connection[Any], miss: Miss, order_id: int
    ) -> OrderDetailsView | None:
        """Read an order that was not there, as `fill` says."""
        return self.fill(
            connection, order_details.projection, OrderDetailsView, miss, order_id
        )

    def fill_customer(
        self, connection: psycopg.Connection[Any], miss: Miss, customer_id: str
    ) -> CustomerView | None:
        """Read a customer that was not there, as `fill` says."""
        return self.fill(
            connection, customers.projection, CustomerView, miss, customer_id
        )

    def find(self, projection: Projection, row: type[R], key: Key) -> HotRow[R] | Miss:
        """Return the row with *key* as an object of the class *row*, or a miss."""
        for _ in range(2):
            known = self.serving.get(projection.name)
            written, checkpoint, value = self.ask(
                projection.name, known.copy if known else None, key
            )
            if not written:
                self.serving.pop(projection.name, None)
                return Miss(None)
            if known and written == known.written:
                return self.read(projection, row, known.copy, checkpoint, value)
            # Another copy answers since: that one is asked.
            try:
                copy = _copy.decode(written)
            except msgspec.MsgspecError:
                return Miss(None)
            self.serving[projection.name] = ServingCopy(written, copy)
        return Miss(None)

    def ask(
        self, read_model: str, copy: Copy | None, key: Key
    ) -> tuple[bytes | None, bytes | None, bytes | None]:
        """Return as written: the copy that answers, checkpoint and row of *copy*."""
        name = copy.name() if copy else ""
        with self.store.connection.answering() as client:
            # The checkpoint first: a row that comes in between is newer than it says.
            asked = client.pipeline(transaction=False)
            asked.hmget(
                self.store.names.meta(read_model), "serving", f"checkpoint {name}"
            )
            if copy is not None:
                asked.get(self.store.names.row(name, key))
            (written, checkpoint), *values = asked.execute()
        return written, checkpoint, values[0] if values else None

    def read(
        self,
        projection: Projection,
        row: type[R],
        copy: Copy,
        written: bytes | None,
        value: bytes | None,
    ) -> HotRow[R] | Miss:
        if written is None or copy.shape != self.store.shape_of(projection):
            # It is gone, or made for other code than this.
            return Miss(None)
        if value is None:
            return Miss(copy)
        try:
            checkpoint, stored = _checkpoint.decode(written), read_value(value)
            if not stored.json:
                return Miss(copy)
            found = read_row(stored.json, row)
        except (ValueError, msgspec.MsgspecError):
            # Written by other code, or by somebody else.
            return Miss(None)
        return HotRow(
            found,
            max(checkpoint.position, stored.position),
            checkpoint.certified_at,
            checkpoint.parked,
        )

    def fill(
        self,
        connection: psycopg.Connection[Any],
        projection: Projection,
        row: type[R],
        miss: Miss,
        key: Key,
    ) -> R | None:
        """
        Return the row as PostgreSQL has it now, and put it in the copy of *miss*.

        *connection* is in autocommit, to the shop's own database or a streaming replica
        of it: no other has the numbers of its changes. None if there is no such row, or
        the copy is not made from what readers see: then ask by the usual query. That
        the cache takes no row, or gives no answer any more, is no error.
        """
        copy = miss.copy
        if copy is None:
            return None
        found = read_newest(connection, projection, copy.generation, [key])
        if found is None or found.epoch != copy.epoch:
            return None
        for change in found.rows:
            if change.row is not None:
                position = max(change.position, found.position)
                change = change._replace(position=position)
                with suppress(StoreAway, CopyMoved):
                    self.store.write(copy, [change], found.newest)
                # As who finds it there gets it.
                return cast(R, read_row(read_value(write_value(change)).json, row))
        return None
