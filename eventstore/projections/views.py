"""Reading a read model by its plain name: rows as objects, page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Generic, TypeVar, cast, get_type_hints

import msgspec
import sqlalchemy as sa

from eventstore.cursors import decode_cursor, encode_cursor
from eventstore.projections.projection import Projection
from eventstore.projections.table import SCHEMA

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """Some rows in order; *following* is the cursor of those after them, or None."""

    rows: Sequence[R]
    following: str | None


@dataclass(frozen=True, slots=True)
class View(Generic[R]):
    """
    The view of a read model: its rows as objects, page by page.

    *name* is the name of the view; *row* is the class of its rows, *key* the name of
    the field that is their primary key. *sorts* has the name of the column behind each
    order that is offered, by the order's name; rows that are equal there are in the
    order of their key. None of these may be NULL.
    """

    name: str
    row: type[R]
    key: str
    sorts: Mapping[str, str]
    table: sa.TableClause = field(init=False, repr=False)

    @classmethod
    def of(cls, projection: Projection, sorts: Mapping[str, str]) -> "View[Any]":
        """
        Return the view of the rows that *projection* keeps.

        *sorts* has names of columns by the names of orders, as for the class.
        """
        return cls(projection.name, projection.row, projection.key, sorts)

    def __post_init__(self) -> None:
        names = [field.name for field in fields(cast(Any, self.row))]
        table = sa.table(self.name, *map(sa.column, names), schema=SCHEMA)
        object.__setattr__(self, "table", table)

    def find(
        self, connection: sa.Connection, *where: sa.ColumnElement[bool]
    ) -> list[R]:
        """Return all rows for which *where* holds, in no order."""
        return self.read(connection, sa.select(self.table).where(*where))

    def read(self, connection: sa.Connection, query: sa.Select[Any]) -> list[R]:
        """Return the rows of *query*, which selects all columns of the row's class."""
        rows = connection.execute(query).mappings()
        return [msgspec.convert(dict(row), self.row) for row in rows]

    def page(
        self,
        connection: sa.Connection,
        *where: sa.ColumnElement[bool],
        sort: str,
        after: str | None,
        limit: int,
        first: sa.ColumnElement[bool] | None = None,
    ) -> Page[R]:
        """
        Return at most *limit* rows in the order of *sort*.

        *sort* is the name of an order, like `total`, or descending, `-total`. Rows for
        which *first* holds come before all others, in the same order.

        *after* is the cursor of the page before, None for the first page. Each page is
        found by its key, so that the thousandth costs what the first one costs, and
        rows that come in meanwhile neither repeat others nor hide them. Raises
        BadCursor.
        """
        table, is_down = self.table, sort.startswith("-")
        column = table.c[self.sorts[sort.removeprefix("-")]]
        order: list[sa.ColumnElement[Any]] = [column, table.c[self.key]]
        if first is not None:
            # Of a tuple all columns go the same way.
            order.insert(0, first if is_down else sa.not_(first))
        place = sa.tuple_(*order)
        query = sa.select(table).where(*where).limit(limit + 1)
        if after is not None:
            begin = sa.tuple_(*self.place_in(after, sort, first is not None))
            query = query.where(place < begin if is_down else place > begin)
        query = query.order_by(*(c.desc() if is_down else c for c in place.clauses))
        # One row more than the limit shows whether there is a further page.
        rows = self.read(connection, query)
        has_more = len(rows) > limit
        rows = rows[:limit]
        if not has_more or not rows:
            return Page(rows, None)
        flag = None
        if first is not None:
            key = getattr(rows[-1], self.key)
            flag = connection.scalar(
                sa.select(order[0]).select_from(table).where(table.c[self.key] == key)
            )
        return Page(rows, self.cursor_at(rows[-1], sort, flag))

    def cursor_at(self, row: R, sort: str, flag: bool | None = None) -> str:
        """
        Return the cursor behind *row*; *sort* is the name of an order, as for `page`.

        *flag* is True if the row is one of those that come first, None if there are
        none.
        """
        column = self.sorts[sort.removeprefix("-")]
        flags = [] if flag is None else [flag]
        place = [*flags, getattr(row, column), getattr(row, self.key)]
        return encode_cursor(self.order_of(sort), place)

    def place_in(
        self, cursor: str, sort: str, has_flag: bool
    ) -> list[sa.ColumnElement[Any]]:
        """
        Return the values that *cursor* (text that `page` made) has in the order *sort*.

        *sort* is the name of an order. Raises BadCursor.
        """
        hints = get_type_hints(self.row)
        flags = [bool] if has_flag else []
        types = [*flags, hints[self.sorts[sort.removeprefix("-")]], hints[self.key]]
        values = decode_cursor(cursor, self.order_of(sort), types)
        return [sa.literal(value) for value in values]

    def order_of(self, sort: str) -> str:
        """
        Return the text by which cursors of this view and order are recognized.

        *sort* is a name of `sorts`, with `-` before it for descending.
        """
        return f"{self.name} {sort}"
