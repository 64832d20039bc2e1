"""
Documents in MongoDB or FerretDB: a collection for each copy, and one for what serves.

A document is a row, with `_id` its key, `_change` the number of its last change and
`_gone`, whether it was deleted. A row is written by an upsert that asks for this key
with a change that is not greater: if a newer one is there, the server tries to insert
another and finds a duplicate key, which here means that nothing is left to do.

The checkpoint is a document of the same collection, so that a collection that was
emptied has none. Which copies there are, and which one answers, is one document a read
model: one atomic update puts a copy in place.

MongoDB does all that atomically. FerretDB 1.x does not promise it: there one writer is
all that keeps older rows out. It takes one row a command, since it ends a command at
the first error, and hangs on one with more rows than it has connections.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from bson.int64 import Int64
from pymongo.errors import DuplicateKeyError, OperationFailure

from eventstore.errors.stores import CopyMoved, OutdatedWriter, StoreAway
from eventstore.projections import generations
from eventstore.projections.changes import RowChange
from eventstore.projections.projection import Key, Projection
from eventstore.stores.row_store import Checkpoint, Copy, Refusal, Shelf, StoredRow
from readmodels import customers, order_details
from readmodels.stores.documents.bson_rows import FORM, from_bson, to_bson
from readmodels.stores.documents.mongodb_connection import MongoConnection
from readmodels.stores.documents.names import CHECKPOINT, Names
from readmodels.stores.documents.updates import (
    Update,
    document_of,
    in_batches,
    tombstone_of,
    update_of,
)

NAME = "documents"
PROJECTIONS = (order_details.projection, customers.projection)
INDEXES = {"order_details": ("customer_id", "lines.product")}
"""What is asked for most, by the name of the read model."""
SECONDS_TO_WRITE = 10.0
ROWS_AT_ONCE = 500
DURABLE = {"w": "majority", "j": True}

DUPLICATE_KEY = 11000
OF_THE_ROW = (2, 9, 14, 52, 56, 57, 121, 10334, 17280)
"""
Codes of errors that tell of a document: values or names that cannot be, its size.

Any other tells of the server, which is asked again.
"""

_to_json = msgspec.json.Encoder().encode
_shelf = msgspec.json.Decoder(Shelf)
_checkpoint = msgspec.json.Decoder(Checkpoint)


class RowRefused(Exception):
    """The server does not take a document, and says why."""


class DocumentStore:
    """
    A store of documents, as `RowStore` describes it.

    *url* is that of a connection; raises ValueError for another scheme. *prefix* begins
    the names of all collections: that of a shop, where several share a database.
    *seconds* is how long a command may take.
    """

    name = NAME
    may_lack_rows = False

    def __init__(
        self,
        url: str,
        prefix: str,
        projections: Sequence[Projection] = PROJECTIONS,
        *,
        seconds: float = SECONDS_TO_WRITE,
    ) -> None:
        self.connection = MongoConnection(self.name, url, seconds=seconds)
        self.names = Names(prefix)
        self.projections = projections
        self.of_name = {projection.name: projection for projection in projections}

    def shape_of(self, projection: Projection) -> str:
        return f"{FORM}-{generations.shape_of(projection)}"

    def load_shelf(self, read_model: str) -> Shelf | None:
        with self.connection.collection(self.names.shelves) as shelves:
            found = shelves.find_one({"_id": read_model})
        return None if found is None else _shelf.decode(found["shelf"])

    def save_shelf(self, read_model: str, shelf: Shelf, term: int) -> None:
        serving = None if shelf.serving is None else _text(shelf.serving)
        stored = {"term": Int64(term), "shelf": _text(shelf), "serving": serving}
        with self.connection.collection(self.names.shelves) as shelves:
            try:
                shelves.update_one(
                    {"_id": read_model, "term": {"$lte": Int64(term)}},
                    {"$set": stored},
                    upsert=True,
                )
            except DuplicateKeyError as error:
                raise OutdatedWriter(self.name, read_model) from error

    def make(self, copy: Copy) -> None:
        with self.connection.collection(self.names.copy(copy.name())) as rows:
            for path in INDEXES.get(copy.read_model, ()):
                rows.create_index(path)
            # Last: with it the copy is whole.
            rows.replace_one(
                {"_id": CHECKPOINT},
                {"_id": CHECKPOINT, "checkpoint": _text(Checkpoint())},
                upsert=True,
            )

    def drop(self, copy: Copy) -> None:
        self.drop_named(copy.read_model, copy.name())

    def drop_named(self, read_model: str, name: str) -> None:
        with self.connection.answering() as database:
            database.drop_collection(self.names.copy(name))

    def find_copies(self, read_model: str) -> Sequence[str]:
        with self.connection.answering() as database:
            return self.names.find_copies(read_model, database.list_collection_names())

    def write(
        self, copy: Copy, changes: Sequence[RowChange], newest: int
    ) -> Sequence[Refusal]:
        """Put rows in as `RowStore` says; the module tells how none gets older."""
        if self.written_checkpoint(copy) is None:
            raise CopyMoved(self.name, copy.name())
        refusals: list[Refusal] = []
        updates: list[Update] = []
        for change in changes:
            try:
                updates.append((change, document_of(change)))
            except ValueError as error:
                refusals.append(Refusal(change.key, change.change, str(error)))
                updates.append((change, tombstone_of(change)))
        most = 1 if self.connection.is_ferretdb else ROWS_AT_ONCE
        for batch in in_batches(updates, most):
            refusals += self.write_batch(self.names.copy(copy.name()), batch)
        return refusals

    def write_batch(self, name: str, batch: Sequence[Update]) -> Iterator[Refusal]:
        """Write rows into a collection; yield those that the server does not take."""
        try:
            refused = self.send(name, batch)
        except RowRefused as error:
            if len(batch) > 1:
                # One spoils the command for all: each by itself.
                for one in batch:
                    yield from self.write_batch(name, [one])
                return
            refused = {0: str(error)}
        for place, reason in refused.items():
            change = batch[place][0]
            yield Refusal(change.key, change.change, reason)
        tombstones = [(c, tombstone_of(c)) for c in (batch[i][0] for i in refused)]
        if tombstones and self.send(name, tombstones):
            raise StoreAway(self.name, "it does not take the place of a refused row")

    def send(self, name: str, batch: Sequence[Update]) -> Mapping[int, str]:
        """
        Write rows by one command; return why it does not take some, by their places.

        Raises RowRefused if it takes none because of one.
        """
        command = {
            "update": name,
            "updates": [update_of(*one) for one in batch],
            "ordered": False,
            "writeConcern": DURABLE,
        }
        with self.connection.answering() as database:
            try:
                answer = database.command(command)
            except OperationFailure as error:
                if error.code in OF_THE_ROW:
                    raise RowRefused(told(error.code)) from error
                raise
        if "writeConcernError" in answer:
            raise StoreAway(self.name, "rows are not on the disks of most servers")
        errors = [
            error
            for error in answer.get("writeErrors", ())
            if error["code"] != DUPLICATE_KEY
        ]
        if not all(error["code"] in OF_THE_ROW for error in errors):
            raise StoreAway(self.name, f"error {errors[0]['code']} for a row")
        return {error["index"]: told(error["code"]) for error in errors}

    def load_checkpoint(self, copy: Copy) -> Checkpoint | None:
        found = self.written_checkpoint(copy)
        return None if found is None else _checkpoint.decode(found)

    def written_checkpoint(self, copy: Copy) -> str | None:
        """Return the checkpoint as it is written there, None if the copy is not."""
        with self.connection.collection(self.names.copy(copy.name())) as rows:
            found = rows.find_one({"_id": CHECKPOINT})
        return None if found is None else str(found["checkpoint"])

    def save_checkpoint(
        self, copy: Copy, checkpoint: Checkpoint, known: Checkpoint
    ) -> None:
        # Texts are compared there, and other code may have written another text.
        written = self.written_checkpoint(copy)
        if written is None or _checkpoint.decode(written) != known:
            raise CopyMoved(self.name, copy.name())
        with self.connection.collection(self.names.copy(copy.name())) as rows:
            done = rows.update_one(
                {"_id": CHECKPOINT, "checkpoint": written},
                {"$set": {"checkpoint": _text(checkpoint)}},
            )
        if not done.matched_count:
            raise CopyMoved(self.name, copy.name())

    def read(self, copy: Copy, keys: Sequence[Key]) -> Mapping[Key, StoredRow]:
        row = self.of_name[copy.read_model].row
        with self.connection.collection(self.names.copy(copy.name())) as rows:
            found = list(rows.find({"_id": {"$in": [to_bson(key) for key in keys]}}))
        return {
            key_of(one): StoredRow(
                int(one["_change"]), None if one["_gone"] else from_bson(row, one)
            )
            for one in found
        }

    def count(self, copy: Copy) -> int:
        with self.connection.collection(self.names.copy(copy.name())) as rows:
            # All but the checkpoint.
            return max(rows.count_documents({}) - 1, 0)

    def keys_behind(self, copy: Copy, key: Key | None, limit: int) -> Sequence[Key]:
        behind = {} if key is None else {"_id": {"$gt": to_bson(key)}}
        with self.connection.collection(self.names.copy(copy.name())) as rows:
            found = rows.find({"_gone": {"$exists": True}, **behind}, {"_id": 1})
            return [key_of(one) for one in found.sort("_id").limit(limit)]

    def close(self) -> None:
        self.connection.close()


def told(code: int | None) -> str:
    """Return why a row was refused, not in the server's words: they may have values."""
    return f"error {code}"


def _text(value: Any) -> str:
    return _to_json(value).decode()


def key_of(document: Mapping[str, Any]) -> Key:
    """Return the key of the row that *document* is."""
    key = document["_id"]
    return str(key) if isinstance(key, str) else int(key)
