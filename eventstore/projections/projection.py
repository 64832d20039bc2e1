"""A projection: from events to the rows of one read model, by a pure function."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from eventstore.log.codec import EventCodec


class Fact(NamedTuple):
    """An event as a projection sees it: its object, and where it stands."""

    event: Any
    stream_id: str
    position: int
    version: int
    occurred_at: datetime

    @property
    def subject(self) -> str:
        """The stream's id without its category: `10248` of `order-10248`."""
        return self.stream_id.partition("-")[2]


Row = Any
Key = str | int
LookedUp = Mapping[str, Mapping[Key, Row]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """
    A small table of the same projection, which its rows are made with.

    It is folded from the same events with the same checkpoint, so it never runs ahead
    of the rows or behind them. *key_of* tells which of its rows an event changes.
    """

    name: str
    row: type
    key: str
    key_of: Callable[[Fact], Key | None]
    fold: Callable[[Row | None, Fact], Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """A change of all rows whose columns have the values *where*, as one statement."""

    where: Mapping[str, Any]
    to: Mapping[str, Any]


def nothing_looked_up(fact: Fact) -> Mapping[str, Key]:
    return {}


def nothing_updated(fact: Fact) -> Update | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """
    What keeps one read model up to date.

    *row* is a frozen dataclass whose fields are the table's columns and whose field
    *key* is its primary key. For each event of *types*, *key_of* tells the row that it
    changes (None: it changes none), *needs* the rows to look up, by look-up, and *fold*
    makes the new row of the old one (None: there is none). An event that touches many
    rows, like a customer's new name, gives an *update* of them all instead, which is
    kept in order with the folds; its columns want one of the *indexes*.
    """

    name: str
    row: type
    key: str
    events: EventCodec
    types: Sequence[str]
    key_of: Callable[[Fact], Key | None]
    fold: Callable[[Row | None, Fact, LookedUp], Row | None]
    lookups: Sequence[Lookup] = ()
    needs: Callable[[Fact], Mapping[str, Key]] = nothing_looked_up
    update: Callable[[Fact], Update | None] = nothing_updated
    indexes: Sequence[str] = ()
