"""A projection: from events to the rows of one read model, by a pure function."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from eventstore.log.codec import EventCodec
from eventstore.log.events import Metadata
from eventstore.log.upcasting import Upcasters

_metadata = msgspec.json.Decoder(Metadata)


class Fact(NamedTuple):
    """
    An event as a projection sees it: its object, and its places.

    *occurred_at* has a zone. *written_metadata* is the JSON text of the metadata.
    """

    event: Any
    stream_id: str
    position: int
    version: int
    occurred_at: datetime
    written_metadata: str

    @property
    def subject(self) -> str:
        """The stream's id without its category: `10248` of `order-10248`."""
        return self.stream_id.partition("-")[2]

    @property
    def metadata(self) -> Metadata:
        """Who, and because of what; read from its JSON when it is asked for."""
        return _metadata.decode(self.written_metadata)


Row = Any
"""A row is of the class that its projection names; a fold knows which."""
Key = str | int
LookedUp = Mapping[str, Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """
    A small table of the same projection, which its rows are made with.

    It is folded from the same events with the same checkpoint, so it is never ahead of
    the rows or behind them. *name* is the name by which the projection finds it, *key*
    the name of the field of *row* that is its primary key. *key_of* returns the key of
    the row that an event changes.

    *category* is that of the streams that it is made from: the row `ALFKI` from the
    stream `customer-ALFKI`. Where such a stream changes a row of the read model, too,
    *feeds* names the field of *row* that has that row's key.
    """

    name: str
    row: type
    key: str
    key_of: Callable[[Fact], Key | None]
    fold: Callable[[Row | None, Fact], Row]
    category: str | None = None
    feeds: str | None = None

    def stream_of(self, key: Key) -> str | None:
        """Return the stream that the row *key* is made from; None: it is not said."""
        return None if self.category is None else f"{self.category}-{key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """
    A change of many rows, as one statement.

    *where* has the names of columns and the values by which rows are found, *to* has
    the names of columns and their new values.
    """

    where: Mapping[str, object]
    to: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """
    An index of the rows.

    *name* is its name, without the table's. *on* is the SQL between the brackets,
    *using* the name of PostgreSQL's method, *where* the condition in SQL of the rows
    that it has, None: of all. One by which an update finds its rows *is_early*: it is
    there while they are filled.
    """

    name: str
    on: str
    using: str = "btree"
    where: str | None = None
    is_early: bool = False


def whole(fact: Fact, looked_up: LookedUp) -> Iterable[Fact]:
    return (fact,)


def nothing_looked_up(fact: Fact) -> Mapping[str, Key]:
    return {}


def nothing_updated(fact: Fact) -> Update | None:
    return None


# Compared by identity: objects made from one are cached as long as the process runs.
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Projection:
    """
    What keeps one read model up to date.

    *name* is the name of the view that readers ask: a small letter, then small letters,
    digits and _, at most 30 characters, and none like `x_g1` or `x_at_1`, which are a
    generation's and a copy's.
    *row* is a frozen dataclass whose fields are the table's columns and whose field
    *key* is its primary key; a field that is itself a dataclass, a tuple or a mapping
    is a column of JSON. For each event of the classes *events*:

    - *needs* names the rows to look up, `{"customers": "ALFKI"}`, as they are after
      the event; *key_of* and *fold* get them by the same names;
    - *key_of* tells the row that it changes (None: it changes none);
    - *fold* makes the new row of the old one (None: there is none);
    - *parts* splits it, where one event changes several rows, as each line of an order
      does those of its product; it gets the looked-up values, as *key_of* and *fold* do
      for each part;
    - *update* changes all rows with a value instead, like a customer's new name, and is
      kept in order with the folds; its columns want an early index.

    *upcasters* lift old events, as those of a decider's codec do. *personal* names the
    personal fields that are read, by class or base class; None: all of them. Events of
    which none is read are not decrypted, and a field that was left out raises
    UndeclaredField when it is used.

    *streams* has the categories of the streams that a row is made from, by the columns
    with the rest of their ids: `{"order_id": "order"}` says that row 5 is made from
    `order-5`. So one bad event marks the rows of its stream, and these alone are made
    once more when the code is mended; without it the whole read model is. *forgets* has
    the classes of the events by which a person is forgotten: none is passed over.

    A change of the fold alone is noticed when the number *version* is raised with it.

    Raises ValueError for another name, a look-up called `changes`, streams of a column
    that is not there, a look-up whose streams neither a column nor *feeds* names, and
    where events forget and no stream is named; BadUpcasters as `EventCodec` does.
    """

    name: str
    row: type
    key: str
    events: Sequence[type]
    key_of: Callable[[Fact, LookedUp], Key | None]
    fold: Callable[[Row | None, Fact, LookedUp], Row | None]
    lookups: Sequence[Lookup] = ()
    needs: Callable[[Fact], Mapping[str, Key]] = nothing_looked_up
    parts: Callable[[Fact, LookedUp], Iterable[Fact]] = whole
    update: Callable[[Fact], Update | None] = nothing_updated
    indexes: Sequence[Index] = ()
    version: int = 1
    upcasters: Upcasters = field(default_factory=dict)
    personal: Mapping[type, Collection[str]] | None = None
    streams: Mapping[str, str] = field(default_factory=dict)
    forgets: Sequence[type] = ()
    codec: EventCodec = field(init=False, repr=False)
    types_that_forget: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Tables and indexes are called after it, and none may be taken for another's.
        if not re.fullmatch("[a-z][a-z0-9_]{0,29}", self.name) or re.search(
            r"_(g|at_)\d+(_|$)", self.name
        ):
            raise ValueError(f"{self.name} cannot be the name of a read model")
        if any(lookup.name == "changes" for lookup in self.lookups):
            raise ValueError("a look-up cannot be called changes: that is a table's")
        codec = EventCodec(
            self.events, self.upcasters, is_part=True, personal=self.personal
        )
        object.__setattr__(self, "codec", codec)
        forgetting = frozenset(kind.__name__ for kind in self.forgets)
        object.__setattr__(self, "types_that_forget", forgetting)
        if unknown := self.streams.keys() - {one.name for one in fields(self.row)}:
            raise ValueError(f"{self.name} has no column {min(unknown)}")
        named = {*self.streams.values()}
        for lookup in self.lookups if self.streams else ():
            # Else rows that were made with an old look-up would stay as they are.
            if lookup.category not in named and not (lookup.category and lookup.feeds):
                raise ValueError(f"{self.name} names no streams of its {lookup.name}")
        if forgetting and not self.streams:
            # Its rows could not be found to be deleted.
            raise ValueError(f"{self.name} forgets, and names no streams of its rows")

    @property
    def types(self) -> Sequence[str]:
        """The types of the events that it reads, with those of years ago."""
        return self.codec.types

    def stream_of(self, key: Key) -> str | None:
        """Return the stream after which the row *key* is called; None: none is."""
        category = self.streams.get(self.key)
        return None if category is None else f"{category}-{key}"

    def streams_of(self, row: Row) -> list[str]:
        """Return the streams that *row* is made from, as far as it names them."""
        values = [(of, getattr(row, name)) for name, of in self.streams.items()]
        return [
            f"{category}-{value}" for category, value in values if value is not None
        ]
