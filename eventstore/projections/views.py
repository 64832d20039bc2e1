"""Reading a read model by its plain name: rows as objects, page by page."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar, cast, get_type_hints

import msgspec
import sqlalchemy as sa
from sqlalchemy.sql import visitors

from eventstore.cursors import decode_cursor, encode_cursor
from eventstore.projections.projection import Projection
from eventstore.projections.table import SCHEMA

R = TypeVar("R")
Rows = Sequence[sa.RowMapping]


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """
    Some rows in order; *following* is the cursor of those after them, or None.

    The last *similar* rows are only like what was asked for.
    """

    rows: Sequence[R]
    following: str | None
    similar: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """
    A condition that an index answers, of which nobody knows how many rows it finds.

    *by_row* is the condition as it is cheapest to try on one row, *by_index* the same
    as the index is asked. The planner must have the same low estimate of *by_index*
    whatever is searched for: compare with `(SELECT …)`, not with a constant.
    """

    by_row: sa.ColumnElement[bool]
    by_index: sa.ColumnElement[bool]


ROWS_WALKED = 2_000
"""How many rows are tried in the order of a page before the index is asked."""


@dataclass(frozen=True, slots=True)
class View(Generic[R]):
    """
    The view of a read model: its rows as objects, page by page.

    *name* is the name of the view; *row* is the class of the objects, *key* the name of
    the field that is their primary key. *sorts* has the name of the column behind each
    order that is offered, by the order's name; rows that are equal there are in the
    order of their key. None of these may be NULL. *kept* is the class of the rows in
    the table, where it has more fields than *row*: what only queries look at.
    *collation* is the name of the one by which texts are ordered, None for that of
    their columns, whose indexes serve.
    """

    name: str
    row: type[R]
    key: str
    sorts: Mapping[str, str]
    kept: type | None = None
    collation: str | None = None
    table: sa.TableClause = field(init=False, repr=False)
    names: Sequence[str] = field(init=False, repr=False)

    @classmethod
    def of(
        cls,
        projection: Projection,
        sorts: Mapping[str, str],
        row: type | None = None,
        collation: str | None = None,
    ) -> "View[Any]":
        """
        Return the view of the rows that *projection* keeps.

        *sorts* has names of columns by the names of orders, as for the class. *row* is
        the class of what is returned, by default that of the projection's rows.
        *collation* is a name, as for the class.
        """
        kept = projection.row
        return cls(projection.name, row or kept, projection.key, sorts, kept, collation)

    def __post_init__(self) -> None:
        table = sa.table(
            self.name, *map(sa.column, names_of(self.kept or self.row)), schema=SCHEMA
        )
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "names", names_of(self.row))

    def find(
        self, connection: sa.Connection, *where: sa.ColumnElement[bool]
    ) -> list[R]:
        """Return all rows for which *where* holds, in no order."""
        columns = [self.table.c[name] for name in self.names]
        rows = connection.execute(sa.select(*columns).where(*where)).mappings()
        return [self.shown(row) for row in rows]

    def shown(self, row: sa.RowMapping) -> R:
        """Return the object for the columns of a *row*; others are left out."""
        return msgspec.convert({name: row[name] for name in self.names}, self.row)

    def page(
        self,
        connection: sa.Connection,
        *where: sa.ColumnElement[bool],
        sort: str,
        after: str | None,
        limit: int,
        search: Search | None = None,
        first: sa.ColumnElement[bool] | None = None,
    ) -> Page[R]:
        """
        Return at most *limit* rows in the order of *sort*.

        *sort* is the name of an order, like `total`, or descending, `-total`. Rows for
        which *first* holds come before all others, in the same order; an index finds
        them. *search* is a condition besides *where*.

        *after* is the cursor of the page before, None for the first page. Each page is
        found by its key, so that the thousandth costs what the first one costs, and
        rows that come in meanwhile neither repeat others nor hide them. Raises
        BadCursor.
        """
        is_down = sort.startswith("-")
        begin, is_among_first = None, first is not None
        if after is not None:
            begin = self.place_in(after, sort, first is not None)
            if first is not None:
                is_among_first = begin.pop(0) is is_down
        # One row more than the limit shows whether there is a further page.
        wanted = limit + 1
        rows: list[sa.RowMapping] = []
        if first is not None and is_among_first:
            few = [*where, first, *([] if search is None else [search.by_row])]
            rows += fetch(connection, self.beyond(begin, sort).where(*few), wanted)
            begin = None
        count = len(rows)
        if first is not None:
            where = (*where, sa.not_(first))
        if count < wanted:
            ordered = self.beyond(begin, sort)
            rows += self.rest(connection, ordered, where, search, sort, wanted - count)
        shown = [self.shown(row) for row in rows[:limit]]
        if len(rows) <= limit or not shown:
            return Page(shown, None)
        flag = None if first is None else (limit <= count) is is_down
        return Page(shown, self.cursor_at(rows[limit - 1], sort, flag))

    def rest(
        self,
        connection: sa.Connection,
        ordered: sa.Select[Any],
        where: Sequence[sa.ColumnElement[bool]],
        search: Search | None,
        sort: str,
        wanted: int,
    ) -> Rows:
        """
        Return the first *wanted* rows of *ordered* that fulfil *where* and *search*.

        *sort* is a name of `sorts`, with `-` before it for descending.

        What is found often stands among the first rows in that order, and they are
        tried one by one. If too few of them fulfil it, it is rare, or stands late: then
        the index finds all, and these are sorted. So a page costs at most some thousand
        rows, and what is found. A single statement would let the planner decide, which
        knows nothing of rare words and has walked through the whole table for them.
        """
        if search is None:
            return fetch(connection, ordered.where(*where), wanted)
        walked = ordered.limit(ROWS_WALKED).subquery()
        inside = self.beyond(None, sort, walked).where(search.by_row)
        rows = fetch(connection, inside.where(*on(walked, where)), wanted)
        if len(rows) == wanted:
            return rows
        # OFFSET 0 keeps the sort out: else its index is taken, and all rows are read.
        found = ordered.order_by(None).where(*where, search.by_index).offset(0)
        return fetch(connection, self.beyond(None, sort, found.subquery()), wanted)

    def beyond(
        self,
        begin: Sequence[object] | None,
        sort: str,
        source: sa.FromClause | None = None,
    ) -> sa.Select[Any]:
        """
        Return the query of all rows behind the values *begin*, in the order of *sort*.

        *sort* is a name of `sorts`, with `-` before it for descending. None is before
        all rows. *source* is what has them, by default the view itself.
        """
        source = self.table if source is None else source
        is_down = sort.startswith("-")
        columns = [self.ordered(source.c[name]) for name in self.place_of(sort)]
        query = sa.select(source)
        if begin is not None:
            # Of a tuple all columns go the same way.
            place, start = sa.tuple_(*columns), sa.tuple_(*map(sa.literal, begin))
            query = query.where(place < start if is_down else place > start)
        return query.order_by(*(c.desc() if is_down else c for c in columns))

    def ordered(self, column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
        """Return the *column* as rows are ordered by it."""
        if self.collation is None or self.hints[str(column.key)] is not str:
            return column
        return column.collate(self.collation)

    def place_of(self, sort: str) -> tuple[str, str]:
        """Return the names of the columns by which *sort* orders the rows."""
        return self.sorts[sort.removeprefix("-")], self.key

    def cursor_at(self, row: sa.RowMapping, sort: str, flag: bool | None) -> str:
        """
        Return the cursor behind *row*; *sort* is the name of an order, as for `page`.

        *flag* says whether the row is one of those that come first, or, where the order
        is upwards, whether it is not; None if there are none.
        """
        flags = [] if flag is None else [flag]
        place = [*flags, *(row[name] for name in self.place_of(sort))]
        return encode_cursor(self.order_of(sort), place)

    def place_in(self, cursor: str, sort: str, has_flag: bool) -> list[Any]:
        """
        Return the values that *cursor* (text that `page` made) has in the order *sort*.

        *sort* is the name of an order. Raises BadCursor.
        """
        flags = [bool] if has_flag else []
        types = [*flags, *(self.hints[name] for name in self.place_of(sort))]
        return decode_cursor(cursor, self.order_of(sort), types)

    @property
    def hints(self) -> Mapping[str, Any]:
        """The types of the columns, by name."""
        return get_type_hints(self.kept or self.row)

    def order_of(self, sort: str) -> str:
        """
        Return the text by which cursors of this view and order are recognized.

        *sort* is a name of `sorts`, with `-` before it for descending.
        """
        return f"{self.name} {sort}"


def names_of(row: type) -> list[str]:
    return [field.name for field in fields(cast(Any, row))]


def fetch(connection: sa.Connection, query: sa.Select[Any], wanted: int) -> Rows:
    return connection.execute(query.limit(wanted)).mappings().all()


def on(
    source: sa.FromClause, conditions: Iterable[sa.ColumnElement[bool]]
) -> Iterator[sa.ColumnElement[bool]]:
    """Yield the conditions on the columns of *source* that are called the same."""

    def of_source(element: Any, **_: Any) -> Any:
        is_column = isinstance(element, sa.ColumnClause) and not element.is_literal
        return source.c[element.name] if is_column else None

    for condition in conditions:
        yield visitors.replacement_traverse(condition, {}, of_source)
