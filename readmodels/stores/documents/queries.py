"""
Documents from MongoDB or FerretDB: the same pages as from PostgreSQL.

A page says up to which position its copy was new enough, and when it last had all
changes: whoever asks decides whether that is enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
import sqlalchemy as sa
from pymongo import ASCENDING, DESCENDING
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from eventstore.errors import BadCursor
from eventstore.errors.stores import Unanswerable
from eventstore.projections.views import Page
from eventstore.stores.row_store import Checkpoint, Copy
from readmodels.stores.documents.bson_rows import from_bson
from readmodels.stores.documents.document_types import DocumentType
from readmodels.stores.documents.filters import Filter
from readmodels.stores.documents.mongodb_connection import (
    Document,
    MongoConnection,
    describe,
)
from readmodels.stores.documents.mongodb_filters import (
    Query,
    compared,
    conditions_of,
    path_of,
)
from readmodels.stores.documents.names import CHECKPOINT, Names
from readmodels.stores.documents.store import DocumentStore

SECONDS_TO_ANSWER = 0.15

_copy = msgspec.json.Decoder(Copy)
_checkpoint = msgspec.json.Decoder(Checkpoint)


@dataclass(frozen=True, slots=True)
class FoundDocuments:
    """
    A page whose documents have all events up to *position*.

    *certified_at* is when the copy last had all changes, in seconds since 1970 by the
    feeder's clock; None if it never had. *parked* is how many streams are parked for
    the read model: their rows are old in PostgreSQL, too.
    """

    page: Page[Any]
    position: int
    certified_at: float | None
    parked: int


class Documents:
    """
    Questions to a store of documents, for all threads of a process.

    All of a question together takes *seconds* at most. *store* says where they are.
    """

    def __init__(
        self, store: DocumentStore, *, seconds: float = SECONDS_TO_ANSWER
    ) -> None:
        self.store = store
        self.names: Names = store.names
        self.connection = MongoConnection(
            store.name, store.connection.url, seconds=seconds
        )

    def find(
        self,
        documents: DocumentType,
        filter_: Filter,
        *,
        sort: str,
        after: str | None,
        limit: int,
    ) -> FoundDocuments | None:
        """
        Return a page as `on_postgres.find` does, None if this store cannot answer.

        It has no copy for this code, or it is FerretDB, which cannot be asked for two
        conditions on the same element. Raises StoreAway and BadCursor.
        """
        query = query_of(documents, filter_, sort, after)
        try:
            return self.ask(documents, filter_, query, sort, limit)
        except (msgspec.MsgspecError, KeyError, TypeError, ValueError):
            # Written by other code, or by somebody else.
            return None

    def ask(
        self,
        documents: DocumentType,
        filter_: Filter,
        query: Query,
        sort: str,
        limit: int,
    ) -> FoundDocuments | None:
        """Return the page that *query* finds, None if no copy can answer it."""
        if filter_.elements and self.connection.is_ferretdb:
            return None
        with self.connection.answering() as database:
            name = self.find_serving(database[self.names.shelves], documents)
            if name is None:
                return None
            collection = database[name]
            # Before the documents: what comes in between is newer than it says.
            known = collection.find_one({"_id": CHECKPOINT})
            if known is None:
                return None
            try:
                found = list(
                    collection.find(query)
                    .sort(order_of(documents, sort))
                    .limit(limit + 1)
                    .batch_size(limit + 2)
                )
            except PyMongoError as error:
                # It has just answered: this filter is too much for it.
                raise Unanswerable(self.store.name, describe(error)) from error
            if not found and collection.find_one({"_id": CHECKPOINT}) is None:
                # It was dropped meanwhile: a collection that is gone is an empty one.
                return None
        checkpoint = _checkpoint.decode(known["checkpoint"])
        return FoundDocuments(
            page_of(documents, found, sort, limit),
            checkpoint.position,
            checkpoint.certified_at,
            checkpoint.parked,
        )

    def find_serving(
        self, shelves: Collection[Document], of: DocumentType
    ) -> str | None:
        """Return the collection of the copy that answers, None: none for this code."""
        shelf = shelves.find_one({"_id": of.projection.name})
        if shelf is None or shelf["serving"] is None:
            return None
        copy = _copy.decode(shelf["serving"])
        if copy.shape != self.store.shape_of(of.projection):
            return None
        return self.names.copy(copy.name())

    def close(self) -> None:
        self.connection.close()


def query_of(
    documents: DocumentType, filter_: Filter, sort: str, after: str | None
) -> Query:
    """Return the query of what comes after the cursor *after*. Raises BadCursor."""
    conditions = [{"_gone": False}, *conditions_of(filter_)]
    if after is not None:
        place = documents.view.place_in(after, sort, False)
        try:
            value, key = map(compared, place)
        except (TypeError, ValueError, OverflowError) as error:
            # PostgreSQL may take it, as a decimal of many digits.
            raise BadCursor from error
        way = "$lt" if sort.startswith("-") else "$gt"
        beyond: Query = {"_id": {way: key}}
        path, *others = places_of(documents, sort)
        if others:
            equal = {path: {"$eq": value}, **beyond}
            beyond = {"$or": [{path: {way: value}}, equal]}
        conditions.append(beyond)
    return {"$and": conditions}


def order_of(documents: DocumentType, sort: str) -> list[tuple[str, int]]:
    """Return by what the server sorts, for a *sort* as pages have it."""
    way = DESCENDING if sort.startswith("-") else ASCENDING
    return [(path, way) for path in places_of(documents, sort)]


def places_of(documents: DocumentType, sort: str) -> list[str]:
    """Return the paths by which documents are sorted: the key is the last."""
    name = sort.removeprefix("-")
    if name == documents.view.key:
        return ["_id"]
    return [path_of(documents.fields[name].path, documents.fields[name].kind), "_id"]


def page_of(
    documents: DocumentType, found: Sequence[Document], sort: str, limit: int
) -> Page[Any]:
    """Return the page of the first *limit* that were found, and whether it is last."""
    rows = [from_bson(documents.row, one) for one in found[:limit]]
    if len(found) <= limit:
        return Page(rows, None)
    last = {name: getattr(rows[-1], name) for name in documents.view.place_of(sort)}
    return Page(rows, documents.view.cursor_at(cast(sa.RowMapping, last), sort, None))
