"""
A walk over the pages of a table: in random order, each page once a round.

Rows drawn at random would have to be counted or sorted first, and some would not be
drawn for a long time. A page is found at once by its number, all rows of it are looked
at, and so each row has its turn in each round, whatever its page holds.
"""

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import gcd
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from eventstore.projections.projection import Key, Row
from eventstore.projections.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class PageWalk:
    """
    A round over *pages* pages, of which *done* are done.

    The page *first* is the first one, and each next one is *stride* pages further on.
    *pages* and *stride* have no common divisor, so each page comes once.
    """

    pages: int = 0
    first: int = 0
    stride: int = 1
    done: int = 0

    @property
    def is_over(self) -> bool:
        return self.done >= self.pages

    @property
    def page(self) -> int:
        """The number of the page that is next, from 0."""
        return (self.first + self.done * self.stride) % self.pages

    def step(self) -> "PageWalk":
        return replace(self, done=self.done + 1)


def begin_walk(pages: int) -> PageWalk:
    """Return a round over *pages* pages, in an order that nobody can foresee."""
    if pages < 2:
        return PageWalk(pages=pages)
    stride = random.randrange(1, pages)
    while gcd(stride, pages) > 1:
        stride = random.randrange(1, pages)
    return PageWalk(pages=pages, first=random.randrange(pages), stride=stride)


def count_pages(connection: psycopg.Connection[Any], table: sql.Identifier) -> int:
    """Return how many pages the table has on the disk."""
    row = connection.execute(
        sql.SQL(
            "SELECT pg_relation_size({table}::regclass)"
            " / current_setting('block_size')::bigint"
        ).format(table=sql.Literal(table.as_string()))
    ).fetchone()
    assert row is not None
    return int(row[0])


def load_all(connection: psycopg.Connection[Any], table: Table) -> dict[Key, Row]:
    """Return all rows of a read model."""
    return table.loaded(connection.execute(select_from(table)))


def rows_on_page(
    connection: psycopg.Connection[Any], table: Table, page: int
) -> dict[Key, Row | None]:
    """
    Return the rows of a read model on the page number *page*.

    One whose JSON is none of its class is None.
    """
    query = sql.SQL("{select} WHERE {on_page}").format(
        select=select_from(table), on_page=on_page(page)
    )
    rows: dict[Key, Row | None] = {}
    for row in connection.execute(query, prepare=False):
        rows[row[table.place]] = None
        with suppress(msgspec.MsgspecError):
            rows[row[table.place]] = table.read(row)
    return rows


def select_from(table: Table) -> sql.Composed:
    return sql.SQL("SELECT {columns} FROM {table}").format(
        columns=sql.SQL(", ").join(c.selected() for c in table.columns.values()),
        table=table.identifier,
    )


def on_page(page: int) -> sql.Composable:
    """Return the condition that a row lies on a page, which is read alone for it."""
    return sql.SQL("ctid >= {first}::tid AND ctid < {behind}::tid").format(
        first=sql.Literal(f"({page},0)"), behind=sql.Literal(f"({page + 1},0)")
    )


def streams_on_page(connection: psycopg.Connection[Any], page: int) -> Sequence[str]:
    """Return the streams whose first event lies on a page of the log."""
    rows = connection.execute(
        sql.SQL(
            "SELECT stream_id FROM public.events WHERE {on_page} AND version = 1"
        ).format(on_page=on_page(page)),
        prepare=False,
    )
    return [stream_id for (stream_id,) in rows]
