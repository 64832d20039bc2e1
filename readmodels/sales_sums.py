"""Sums of what was sold: by month, day, product, country or customer, in a period."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from domain.days import start_of_day
from eventstore.cursors import decode_cursor, encode_cursor

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The days from *first* to *last*, which is in it, by the clocks of *zone*."""

    first: date
    last: date
    zone: ZoneInfo

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def begin(self) -> datetime:
        """The first moment of it, in UTC."""
        return start_of_day(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The first moment behind it, in UTC."""
        return start_of_day(self.last + DAY, self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """
    What was sold: *orders* and *pieces*, and *amount* in minor units.

    An order of which nothing is left, or which is cancelled, is none.
    """

    orders: int = 0
    pieces: int = 0
    amount: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesLine(Sums):
    """
    What was sold in a month or a day, of a product, to a country or a customer.

    *key* is the month's first day or the day, the number of the product or customer, or
    the country. It is None for a product that is not on the list, and for the countries
    of who is forgotten. *name* is that of a product, as it was ordered once.
    """

    key: date | str | None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesPage:
    """
    Some lines, the largest amount first or by time, and the *total* of the period.

    *following* is the cursor of the lines behind them, None if there are none. *since*
    is the day of the first order of all, None before it is placed.
    """

    lines: Sequence[SalesLine]
    total: Sums
    following: str | None = None
    since: date | None = None


FROM = "FROM readmodels.sales AS s"
COUNTS = """
    s.created_at >= :begin AND s.created_at < :end
    AND s.pieces > 0 AND NOT s.is_cancelled
"""
SUMS = "count(*) AS orders, sum(s.pieces) AS pieces, sum(s.amount) AS amount"
OF_ORDERS = f"""
    SELECT {{place}} AS place, NULL AS name, {SUMS} {FROM} WHERE {COUNTS} GROUP BY 1
"""
# Numbers begin with another sign than names, so that none is taken for the other.
# By number and name first, which is one pass without a name for each line to compare.
OF_LINES = """
    SELECT
        coalesce('#' || n.product_id, '=' || n.product) AS place,
        max(n.product) AS name,
        sum(n.orders) AS orders, sum(n.pieces) AS pieces, sum(n.amount) AS amount
    FROM (
        SELECT l.product_id, l.product, count(*) FILTER (WHERE l.is_first) AS orders,
            sum(l.pieces) AS pieces, sum(l.amount) AS amount
        FROM readmodels.sold_lines AS l
        WHERE l.created_at >= :begin AND l.created_at < :end
        GROUP BY 1, 2
    ) AS n
    GROUP BY 1
"""
GROUPS = {
    "product": OF_LINES,
    "country": OF_ORDERS.format(place="coalesce(s.country, '')"),
    "customer": OF_ORDERS.format(place="s.customer_id"),
}
# The limits are made here: PostgreSQL may know other rules of the zone.
BY_TIME = f"""
    SELECT b.place::text, b.name, b.orders, b.pieces, b.amount
    FROM ({OF_ORDERS.format(place="width_bucket(s.created_at, :limits)")}) AS b
"""
# One statement, so that the total and the lines are of the same moment.
PAGE = f"""
    SELECT g.place, g.name, g.orders, g.pieces, g.amount,
        t.orders AS all_orders, t.pieces AS all_pieces, t.amount AS all_amount
    FROM (SELECT {SUMS} {FROM} WHERE {COUNTS}) AS t
    LEFT JOIN (
        SELECT g.* FROM ({{groups}}) AS g {{behind}}
        ORDER BY g.amount DESC, g.place COLLATE "C" LIMIT :limit
    ) AS g ON true
    ORDER BY g.amount DESC, g.place COLLATE "C"
"""
BEHIND = """
    WHERE g.amount < :amount OR (g.amount = :amount AND g.place COLLATE "C" > :place)
"""
TIMES = ("month", "day")
WAYS = (*TIMES, *GROUPS)


def find(
    connection: sa.Connection,
    by: str,
    period: Period,
    *,
    after: str | None = None,
    limit: int | None = None,
) -> SalesPage:
    """
    Return what was sold in *period*, added up *by* one of `WAYS`.

    Months and days are all there, also those without a sale, from the first order of
    all on. Of the others it is at most *limit*, behind the cursor *after*. Raises
    BadCursor.
    """
    since = first_day(connection, period.zone)
    if by in TIMES:
        return by_time(connection, by, period, since)
    asked: dict[str, Any] = {"limit": None if limit is None else limit + 1}
    behind = ""
    if after is not None:
        asked["amount"], asked["place"] = decode_cursor(after, order_of(by), [int, str])
        behind = BEHIND
    text = PAGE.format(groups=GROUPS[by], behind=behind)
    rows, total = fetch(connection, text, period, asked)
    has_more = limit is not None and len(rows) > limit
    rows = rows[:limit]
    following = None
    if has_more and rows:
        place = [int(rows[-1]["amount"]), rows[-1]["place"]]
        following = encode_cursor(order_of(by), place)
    return SalesPage(
        lines=[line_of(by, row) for row in rows],
        total=total,
        following=following,
        since=since,
    )


def by_time(
    connection: sa.Connection, by: str, period: Period, since: date | None
) -> SalesPage:
    if since is None:
        return SalesPage(lines=[], total=Sums())
    starts = list(starts_in(by, max(period.first, since), period.last))
    limits = [start_of_day(day, period.zone) for day in starts]
    text = PAGE.format(groups=BY_TIME, behind="")
    asked = {"limit": None, "limits": limits or [period.end]}
    rows, total = fetch(connection, text, period, asked)
    found = {int(row["place"]): sums_in(row) for row in rows}
    lines = [
        SalesLine(key=day, **asdict(found.get(number, Sums())))
        for number, day in enumerate(starts, 1)
    ]
    return SalesPage(lines=lines, total=total, since=since)


def fetch(
    connection: sa.Connection, text: str, period: Period, asked: Mapping[str, Any]
) -> tuple[Sequence[sa.RowMapping], Sums]:
    """Return the rows of `PAGE`, and the total of the period."""
    rows = (
        connection.execute(
            sa.text(text), {**asked, "begin": period.begin, "end": period.end}
        )
        .mappings()
        .all()
    )
    total = sums_in(rows[0], "all_")
    return [row for row in rows if row["place"] is not None], total


def sums_in(row: sa.RowMapping, prefix: str = "") -> Sums:
    return Sums(
        orders=int(row[f"{prefix}orders"] or 0),
        pieces=int(row[f"{prefix}pieces"] or 0),
        amount=int(row[f"{prefix}amount"] or 0),
    )


def line_of(by: str, row: sa.RowMapping) -> SalesLine:
    place, sums = row["place"], asdict(sums_in(row))
    if by == "product":
        key = place[1:] if place.startswith("#") else None
        return SalesLine(key=key, name=row["name"], **sums)
    return SalesLine(key=place or None, **sums)


def order_of(by: str) -> str:
    """Return the text by which cursors of this list are recognized."""
    return f"sales by {by}"


def first_day(connection: sa.Connection, zone: ZoneInfo) -> date | None:
    """Return the day of the first order of all, None if there is none."""
    found = connection.scalar(sa.text(f"SELECT min(created_at) {FROM}"))
    return None if found is None else found.astimezone(zone).date()


def starts_in(by: str, first: date, last: date) -> Iterator[date]:
    """Yield the first day of each month from *first* to *last*, or each day."""
    start = first.replace(day=1) if by == "month" else first
    while start <= last:
        yield start
        start = next_month(start) if by == "month" else start + DAY


def next_month(first: date) -> date:
    return (first + 31 * DAY).replace(day=1)
