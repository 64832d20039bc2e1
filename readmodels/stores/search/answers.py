"""What Elasticsearch and OpenSearch answer, as far as it is read here."""

from typing import Any

import msgspec

from eventstore.errors.stores import StoreAway
from eventstore.stores.row_store import Checkpoint, Shelf
from readmodels.stores.search.client import Answer, Fault, SearchClient


class Document(msgspec.Struct):
    """A document of a copy, or of the index of shelves."""

    change: int = 0
    gone: bool = False
    row: msgspec.Raw = msgspec.Raw(b"null")
    checkpoint: Checkpoint | None = None
    shelf: Shelf | None = None


class StoredDocument(msgspec.Struct):
    """
    A document as it is returned, or None in its place.

    *sequence* and *primary* are the two numbers by which a later write of it is made
    to fail if another one came between. *error* says why there is none.
    """

    id: str = msgspec.field(name="_id", default="")
    index: str = msgspec.field(name="_index", default="")
    source: Document | None = msgspec.field(name="_source", default=None)
    version: int = msgspec.field(name="_version", default=0)
    sequence: int = msgspec.field(name="_seq_no", default=-1)
    primary: int = msgspec.field(name="_primary_term", default=-1)
    sort: list[Any] = []
    error: Fault | None = None


class Several(msgspec.Struct):
    """The documents that were asked for by their ids."""

    docs: list[StoredDocument] = []


class Shards(msgspec.Struct):
    total: int = 0
    successful: int = 0


class Total(msgspec.Struct):
    value: int = 0


class Hits(msgspec.Struct):
    hits: list[StoredDocument] = []
    total: Total = msgspec.field(default_factory=Total)


class TopHits(msgspec.Struct):
    hits: Hits = msgspec.field(default_factory=Hits)


class Bucket(msgspec.Struct):
    """What an aggregation found: the first of its documents."""

    first: TopHits | None = None


class SearchAnswer(msgspec.Struct):
    """The answer to a count or a search."""

    shards: Shards = msgspec.field(name="_shards", default_factory=Shards)
    timed_out: bool = False
    count: int = 0
    hits: Hits = msgspec.field(default_factory=Hits)
    aggregations: dict[str, Bucket] = {}


class SearchAnswers(msgspec.Struct):
    """The answer to several searches; one that failed has no shards."""

    responses: list[SearchAnswer] = []


def whole(client: SearchClient, answer: Answer) -> SearchAnswer:
    """Return the answer to a count or a search. Raises StoreAway as `checked`."""
    return checked(client, client.read(answer, SearchAnswer))


def checked(client: SearchClient, found: SearchAnswer) -> SearchAnswer:
    """
    Return the answer to a search.

    Raises StoreAway if a part of the index did not answer: it would be taken for empty.
    """
    total, answered = found.shards.total, found.shards.successful
    if found.timed_out or not total or answered < total:
        raise StoreAway(client.store, "a part of its index does not answer")
    return found
