"""Changes of rows as MongoDB gets them: each unless a newer one is there."""

from collections.abc import Iterator, Sequence

import bson
from bson.errors import BSONError
from bson.int64 import Int64
from bson.raw_bson import RawBSONDocument

from eventstore.projections.changes import RowChange
from readmodels.stores.documents.bson_rows import to_bson
from readmodels.stores.documents.mongodb_connection import Document

MAX_BYTES = 16_000_000
"""Of one document; the server takes a little more."""
MAX_BYTES_AT_ONCE = 8_000_000

Update = tuple[RowChange, RawBSONDocument]


def document_of(change: RowChange) -> RawBSONDocument:
    """Return the document of a row. Raises ValueError if there can be none."""
    if change.row is None:
        return tombstone_of(change)
    try:
        fields = to_bson(change.row)
        document = encode({**head_of(change, is_gone=False), **fields})
    except (BSONError, OverflowError) as error:
        raise ValueError(
            f"the row cannot be a document: {type(error).__name__}"
        ) from error
    if len(document.raw) > MAX_BYTES:
        raise ValueError(
            f"the row has {len(document.raw):,} bytes, and {MAX_BYTES:,} may be"
        )
    return document


def tombstone_of(change: RowChange) -> RawBSONDocument:
    """Return the document that keeps the place of a row that is not there."""
    return encode(head_of(change, is_gone=True))


def head_of(change: RowChange, *, is_gone: bool) -> Document:
    return {
        "_id": to_bson(change.key),
        "_change": Int64(change.change),
        "_gone": is_gone,
    }


def encode(document: Document) -> RawBSONDocument:
    return RawBSONDocument(bson.encode(document))


def update_of(change: RowChange, document: RawBSONDocument) -> Document:
    """Return the part of a command that writes a row unless a newer one is there."""
    place = {"_id": to_bson(change.key), "_change": {"$lte": Int64(change.change)}}
    return {"q": place, "u": document, "upsert": True, "multi": False}


def in_batches(updates: Sequence[Update], most: int) -> Iterator[Sequence[Update]]:
    """Yield *updates* in runs that one command may have, of *most* rows each."""
    batch: list[Update] = []
    size = 0
    for update in updates:
        length = len(update[1].raw)
        if batch and (len(batch) >= most or size + length > MAX_BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append(update)
        size += length
    if batch:
        yield batch
