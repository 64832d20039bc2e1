"""What is to be done on a desk: the first orders of each kind, and their number."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from readmodels.order_list import (
    HAS_CREDIT,
    IS_DUE,
    IS_READY,
    IS_WAITED_FOR,
    condition,
    view,
)
from readmodels.order_summary import OrderSummaryView

MAX_COUNTED = 1_000
"""Where there are more, counting them all would take long."""


@dataclass(frozen=True, slots=True)
class Pile:
    """
    Orders of which the same is to be done: the first of them, and how many there are.

    *number* is at most MAX_COUNTED; *has_more* says that there are more.
    """

    orders: Sequence[OrderSummaryView] = ()
    number: int = 0

    @property
    def has_more(self) -> bool:
        return self.number >= MAX_COUNTED


class DayFigures(NamedTuple):
    """
    What a day has brought: orders that were placed in it.

    *total* is what those cost that were not cancelled since, in minor units.
    """

    orders: int
    total: int


def find_piles(
    connection: sa.Connection, today: date | None, limit: int
) -> Mapping[str, Pile]:
    """
    Return the piles `due`, `ready`, `late` and `credit`, as they are at one moment.

    Each has its first *limit* orders: those placed first, of the late ones those that
    were needed first. Without *today* none is late.
    """
    columns = view.table.c
    placed = (columns.created_at, columns.order_id)
    needed = (columns.required_date, columns.order_id)
    kinds: dict[str, tuple[list[Any], Sequence[Any]]] = {
        "due": ([condition(IS_DUE, True)], placed),
        "ready": ([condition(IS_READY, True)], placed),
        "credit": ([condition(HAS_CREDIT, True)], placed),
    }
    if today is not None:
        is_late = [condition(IS_WAITED_FOR, True), columns.required_date < today]
        kinds["late"] = is_late, needed
    # One statement, so that an order is not missing in two piles, or in both.
    found = connection.execute(
        sa.union_all(*(pile_of(name, *kind, limit) for name, kind in kinds.items()))
    ).mappings()
    rows: dict[str, list[sa.RowMapping]] = {name: [] for name in kinds}
    for row in found:
        rows[row["pile"]].append(row)
    return {
        name: Pile(
            [view.shown(row) for row in in_order(some, kinds[name][1])],
            some[0]["number"] if some else 0,
        )
        for name, some in rows.items()
    }


def pile_of(
    name: str,
    where: Sequence[sa.ColumnElement[bool]],
    order: Sequence[sa.ColumnClause[Any]],
    limit: int,
) -> sa.Select[Any]:
    """Return the query of the first rows of a pile, each with the pile's number."""
    shown = [view.table.c[field.name] for field in fields(view.row)]
    some = sa.select(view.table.c.order_id).where(*where).limit(MAX_COUNTED)
    counted = some.subquery()
    number = sa.select(sa.func.count()).select_from(counted).scalar_subquery()
    rows = sa.select(*shown).where(*where).order_by(*order).limit(limit)
    first = rows.subquery()
    return sa.select(sa.literal(name).label("pile"), number.label("number"), *first.c)


def in_order(
    rows: Iterable[sa.RowMapping], order: Sequence[sa.ColumnClause[Any]]
) -> list[sa.RowMapping]:
    """Return *rows* in their order, which a union need not keep."""
    return sorted(rows, key=lambda row: [row[column.name] for column in order])


def find_figures(
    connection: sa.Connection, begin: datetime, end: datetime
) -> DayFigures:
    """Return what was placed from *begin* on and before *end*."""
    columns = view.table.c
    is_counted = columns.status != "cancelled"
    row = connection.execute(
        sa.select(
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(columns.total).filter(is_counted), 0),
        ).where(columns.created_at >= begin, columns.created_at < end)
    ).one()
    return DayFigures(row[0], int(row[1]))


def has_orders(connection: sa.Connection) -> bool:
    """Return whether any order was ever placed."""
    found = connection.scalar(sa.select(sa.exists().select_from(view.table)))
    return bool(found)
