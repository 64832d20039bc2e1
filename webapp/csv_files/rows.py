"""All rows of a list, as its pages have them, and as lines of CSV."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from eventstore.connection import driver_connection, one_moment
from eventstore.projections.freshness import Freshness
from eventstore.projections.projection import Projection
from eventstore.projections.table import SCHEMA
from eventstore.projections.views import Page, names_of
from readmodels.rows_in_words import AMOUNTS
from webapp.csv_files.cells import amount_cell, guard, writer_of
from webapp.read_connection import reading
from webapp.why.wording import ADDRESS

A_PAGE = 50
ROWS_AT_ONCE = 1_000
LOCK = "LOCK TABLE {} IN ACCESS SHARE MODE"

Find = Callable[..., Page[Any]]
Column = tuple[str, Callable[[Any], str]]
"""The name of a column, and what returns its cell for a row."""


@contextmanager
def reading_at_once(
    *projections: Projection,
) -> Iterator[tuple[sa.Connection, Freshness]]:
    """
    Lend a connection as `reading` does, on which all that is read is of one moment.

    A rebuild that wants to swap one of these read models tries again later.
    """
    with (
        reading(*projections) as (connection, position),
        one_moment(driver_connection(connection)),
    ):
        for projection in projections:
            # Before the first query fixes the moment: of a generation that is swapped
            # in after it no row would be seen.
            connection.exec_driver_sql(LOCK.format(f"{SCHEMA}.{projection.name}"))
        yield connection, position


def all_rows(
    find: Find, connection: sa.Connection, asked: Mapping[str, Any]
) -> Iterator[Any]:
    """Yield the rows that *find* has on all its pages, for what is *asked*."""
    # What is only like a search stands on its first page, as long as that is.
    page = find(connection, **asked, limit=A_PAGE)
    yield from page.rows
    while page.following is not None:
        further = {**asked, "after": page.following, "limit": ROWS_AT_ONCE}
        page = find(connection, **further)
        yield from page.rows


def lines_of(
    rows: Iterable[Any], row_class: type, zone: ZoneInfo, currency: str
) -> Iterator[Sequence[str]]:
    """
    Yield the header, and a line for each of *rows*.

    Amounts are decimals of the row's currency, or else of *currency*; moments are by
    the clocks of *zone*.
    """
    columns = list(columns_of(row_class, zone, currency))
    yield [name for name, _ in columns]
    cells = [cell for _, cell in columns]
    for row in rows:
        yield [cell(row) for cell in cells]


def columns_of(row_class: type, zone: ZoneInfo, currency: str) -> Iterator[Column]:
    """Yield the columns of the rows' fields; an address has one for each part."""
    write = writer_of(zone)
    names = names_of(row_class)
    for name in names:
        if name in AMOUNTS:
            yield name, amount_of(name, currency)
        elif name == "address":
            yield from (part_of_address(part) for part in ADDRESS)
        elif name != "currency":
            yield name, value_of(name, write)
    yield "currency", lambda row: getattr(row, "currency", None) or currency


def value_of(name: str, write: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda row: write(getattr(row, name))


def amount_of(name: str, currency: str) -> Callable[[Any], str]:
    return lambda row: amount_cell(
        getattr(row, name), getattr(row, "currency", None) or currency
    )


def part_of_address(part: str) -> Column:
    return f"address_{part}", lambda row: guard(getattr(row.address, part, None) or "")
