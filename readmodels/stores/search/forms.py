"""The documents of the search store: their mapping, and how a row becomes one."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any, get_type_hints

import msgspec

from eventstore.projections.changes import RowChange
from eventstore.projections.projection import Key, Projection, Row
from eventstore.projections.views import View
from readmodels import customers, order_list
from readmodels.order_summary import OrderSummaryRow
from readmodels.row_words import FIRST_UNPARTED, MIN_PART, TAIL
from readmodels.typos import MAX_LETTERS
from readmodels.words import MAX_BYTES

VERSION = 2
"""Raise it when documents are made in another way while their mapping stays."""

CHECKPOINT = "~checkpoint"
"""The id of the document with the copy's checkpoint; no key of a row has a tilde."""

MAX_BEGINNING = MAX_LETTERS + 1
"""So many letters of a word are kept as its beginnings: slips make it one longer."""

SETTINGS: Mapping[str, Any] = {
    # One shard: then what a search sees is of one moment, checkpoint and rows.
    "number_of_shards": 1,
    "auto_expand_replicas": "0-1",
    "refresh_interval": "1s",
    "max_result_window": 10_000,
    "analysis": {
        # Rows and questions come folded, by readmodels/words.py: nothing is done here
        # but to cut, so that all stores find the same.
        "tokenizer": {
            "blanks": {"type": "whitespace", "max_token_length": MAX_BYTES},
        },
        "filter": {
            "beginnings": {
                "type": "edge_ngram",
                "min_gram": 1,
                "max_gram": MAX_BEGINNING,
            }
        },
        "analyzer": {
            "whole": {"type": "custom", "tokenizer": "blanks"},
            "beginnings": {
                "type": "custom",
                "tokenizer": "blanks",
                "filter": ["beginnings"],
            },
        },
    },
}

WORDS: Mapping[str, Any] = {
    "type": "text",
    "analyzer": "whole",
    "index_options": "docs",
    "norms": False,
    "fields": {
        "beginnings": {
            "type": "text",
            "analyzer": "beginnings",
            "index_options": "docs",
            "norms": False,
        }
    },
}

COMMON: Mapping[str, Any] = {
    "change": {"type": "long", "index": False, "doc_values": False},
    "gone": {"type": "boolean"},
    "key": {"type": "keyword"},
    # The row as it is shown, and the checkpoint: kept, not looked into.
    "row": {"type": "object", "enabled": False},
    "checkpoint": {"type": "object", "enabled": False},
    "is_checkpoint": {"type": "boolean"},
    "words": WORDS,
    # The ends of words, by which their parts are found.
    "ends": WORDS,
}

KINDS: Mapping[object, str] = {
    str: "keyword",
    int: "long",
    int | None: "long",
    datetime: "long",
    date | None: "keyword",
}
"""
What is sorted by, and filtered by: a moment as microseconds since 1970, a day as text.
"""


@dataclass(frozen=True)
class Form:
    """
    How the rows of a read model are kept.

    *view* has the orders that are offered, *filters* names more columns that are
    compared, *words* those with words. *ends* returns the ends of these words, by which
    their parts are found. *numbers* names the columns of which a value in small
    letters, `<name>_small`, is kept, too.
    """

    projection: Projection
    view: View[Any]
    words: Sequence[str]
    ends: Callable[[Sequence[str]], Iterable[str]]
    filters: Sequence[str] = ()
    numbers: Sequence[str] = ()

    @cached_property
    def columns(self) -> Mapping[str, type]:
        """The columns that are sorted or filtered by, with their types."""
        hints = get_type_hints(self.projection.row)
        names = dict.fromkeys([self.view.key, *self.view.sorts.values(), *self.filters])
        return {f"by_{name}": hints[name] for name in names}

    @cached_property
    def mapping(self) -> Mapping[str, Any]:
        """The mapping, as an index is given it."""
        kept = {name: {"type": KINDS[kind]} for name, kind in self.columns.items()}
        small = {f"{name}_small": {"type": "keyword"} for name in self.numbers}
        return {
            "dynamic": "strict",
            "date_detection": False,
            "numeric_detection": False,
            "properties": {**COMMON, **kept, **small},
        }

    @cached_property
    def shape(self) -> str:
        """A hash of the form: a copy of another one is made where it differs."""
        form = [VERSION, SETTINGS, self.mapping, list(self.words)]
        written = msgspec.json.encode(form, order="sorted")
        return hashlib.sha256(written).hexdigest()[:16]

    @cached_property
    def key_type(self) -> type:
        kind: type = get_type_hints(self.projection.row)[self.projection.key]
        return kind

    def key_from(self, text: str) -> Key:
        """Return the key of which *text* is the id of its document."""
        key: Key = self.key_type(text)
        return key

    def row(self, written: msgspec.Raw) -> Row | None:
        """Return the row in a document, None where it has none."""
        text = bytes(written)
        return None if text == b"null" else self.decoder.decode(text)

    def shown(self, written: msgspec.Raw) -> Any:
        """Return the row in a document as its list shows it."""
        return self.shown_decoder.decode(bytes(written))

    @cached_property
    def shown_decoder(self) -> msgspec.json.Decoder[Any]:
        return msgspec.json.Decoder(self.view.row)

    @cached_property
    def decoder(self) -> msgspec.json.Decoder[Any]:
        return msgspec.json.Decoder(self.projection.row)

    def document(self, change: RowChange) -> dict[str, Any]:
        """Return the document for a row; without the row where it was deleted."""
        row = change.row
        if row is None:
            return tombstone(change)
        found = [word for name in self.words for word in getattr(row, name).split()]
        return {
            "change": change.change,
            "gone": False,
            "key": str(change.key),
            "row": row,
            "words": " ".join(word for word in found if word[0] != TAIL),
            "ends": " ".join(self.ends(found)),
            **{
                name: comparable(getattr(row, name.removeprefix("by_")))
                for name in self.columns
            },
            **{f"{name}_small": getattr(row, name).lower() for name in self.numbers},
        }


def tombstone(change: RowChange) -> dict[str, Any]:
    """Return what is kept of a row that was deleted, or that the store cannot take."""
    return {"change": change.change, "gone": True, "key": str(change.key)}


def comparable(value: Any) -> Any:
    """Return a value as it is compared, as KINDS says."""
    if isinstance(value, datetime):
        return (value - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    return value.isoformat() if isinstance(value, date) else value


def ends_in_row(words: Sequence[str]) -> Iterator[str]:
    """Yield the ends that are among the words, without their mark."""
    return (word[1:] for word in words if word[0] == TAIL)


def ends_of(words: Sequence[str]) -> Iterator[str]:
    """
    Yield the ends of *words*, behind their first letter: rows of orders have none.

    PostgreSQL finds parts of these words among those that it knows.
    """
    for word in dict.fromkeys(words):
        shortest = MIN_PART if word < FIRST_UNPARTED else 1
        for start in range(1, len(word) - shortest + 1):
            yield word[start:]


def words_of(row: type) -> Sequence[str]:
    """Return the names of the columns that have words, by what they are called."""
    names = [field.name for field in fields(row)]
    return [name for name in names if name == "words" or name.endswith("_words")]


ORDERS = Form(
    order_list.projection,
    order_list.view,
    words=words_of(OrderSummaryRow),
    ends=ends_of,
    filters=["status", "customer_id", "due", "credit", "terms", "required_date"],
)

CUSTOMERS = Form(
    customers.projection,
    customers.view,
    words=words_of(customers.CustomerRow),
    ends=ends_in_row,
    numbers=["customer_id"],
)

FORMS = (ORDERS, CUSTOMERS)
