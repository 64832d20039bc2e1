"""Sums of sales for a page, a file or a program: what is asked, and the answer."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from eventstore.projections.freshness import Freshness
from eventstore.projections.projection import Projection
from readmodels import customers, products, sales, sold_lines
from readmodels.sales_sums import (
    WAYS,
    Period,
    SalesLine,
    SalesPage,
    find,
    next_month,
)
from webapp.current_shop import the_shop
from webapp.parked_rows import Marks, mark_rows
from webapp.past.moment_asked import MIN_YEAR, moment_shown
from webapp.query_parameters import one_of, refuse, text
from webapp.read_connection import reading

OF_SALES = ("by", "from", "to", "after")
MAX_DAYS = 366
"""So long may a period be that is added up by day."""
MAX_DAYS_SHOWN = 92
"""So long may it be on a page."""
MONTHS_SHOWN = 12
MODELS: Mapping[str, Sequence[Projection]] = {
    "product": (sales.projection, sold_lines.projection, products.projection),
    "customer": (sales.projection, customers.projection),
}
"""What is asked where it is not the sales alone: they know no names of customers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesQuestion:
    """
    By which of `WAYS` the sales of a period are added up, and behind which cursor.

    *today* is the day, in the shop's time zone, that the answer is about.
    """

    by: str
    period: Period
    today: date
    after: str | None

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of an address that asks for the same from the beginning."""
        return {"by": self.by, **days_of(self.period.first, self.period.last)}

    @property
    def has_days(self) -> bool:
        """Whether a page can show the period by day."""
        return self.period.days <= MAX_DAYS_SHOWN


class FoundSales(NamedTuple):
    """
    A page of sales, and how fresh it is.

    *names* has those of the list's products, or of the customers, by number.
    """

    page: SalesPage
    names: Mapping[str, str]
    position: Freshness
    marks: Marks


def days_of(first: date, last: date) -> dict[str, str]:
    """Return the parameters of an address that asks for these days."""
    return {"from": first.isoformat(), "to": last.isoformat()}


def sales_asked(max_days: int = MAX_DAYS) -> SalesQuestion:
    """
    Return what the request asks for; by itself it is the last twelve months by month.

    Without a beginning it is twelve months, or by day the month of the last day. By day
    it has at most *max_days*. Of days after today nothing is known, so the period ends
    with it; as of a moment before it, it is its first day. Raises the Problem that a
    parameter is none of its kind, or that there is no such period.
    """
    by = one_of("by", WAYS) or "month"
    today = today_shown()
    end = day_in("to")
    last = min(end or today, today)
    usual = last.replace(day=1) if by == "day" else first_of_months(last)
    first = day_in("from") or usual
    if moment_shown() is not None and today < first <= (end or first):
        # Of today's page as of another day: then it was still to come.
        last = first
    if first > last:
        refuse("from must not be after to, or after today")
    zone = the_shop().settings.timezone
    period = Period(first=first, last=last, zone=zone)
    after = text("after")
    question = SalesQuestion(by=by, period=period, today=today, after=after)
    if by == "day" and period.days > max_days:
        refuse(f"by day it must be at most {max_days} days")
    return question


def today_shown() -> date:
    """Return the day that is today at the moment that the request is about."""
    zone, past = the_shop().settings.timezone, moment_shown()
    at = past.at if past is not None else None
    return (at.astimezone(zone) if at is not None else datetime.now(zone)).date()


def day_in(name: str) -> date | None:
    """Return the day in the parameter *name*, None without it."""
    written = text(name)
    if written is None:
        return None
    is_day = re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", written, re.ASCII)
    try:
        day = date.fromisoformat(written) if is_day else None
    except ValueError:
        day = None
    if day is None or not MIN_YEAR <= day.year < date.max.year:
        refuse(f"{name} must be a date, like 2026-03-31")
    return day


def first_of_months(last: date) -> date:
    """Return the first day of the months that are shown up to *last*, at its latest."""
    months = max(last.year * 12 + last.month - MONTHS_SHOWN, MIN_YEAR * 12)
    return date(months // 12, months % 12 + 1, 1)


def find_sales(question: SalesQuestion, limit: int | None) -> FoundSales:
    """Return at most *limit* lines that *question* asks for; None: all of them."""
    models = MODELS.get(question.by, (sales.projection,))
    with reading(*models) as (connection, position):
        page = find(
            connection,
            question.by,
            question.period,
            after=question.after,
            limit=limit,
        )
        numbers = [str(line.key) for line in page.lines if line.key is not None]
        names: Mapping[str, str] = {}
        if question.by == "product":
            found = products.find_by_number(connection, numbers)
            names = {number: product.name for number, product in found.items()}
        if question.by == "customer":
            names = customers.find_names(connection, numbers)
        marks = [
            mark_rows(connection, one, [], position)
            for one in (sales.projection, sold_lines.projection)
        ]
    return FoundSales(page, names, position, max(marks, key=number_left_out))


def number_left_out(marks: Marks) -> int:
    return 0 if marks.left_out is None else marks.left_out.number


def values_of(by: str, line: SalesLine, names: Mapping[str, str]) -> dict[str, Any]:
    """Return what a line says, by the names of the columns that programs get."""
    key = line.key
    named: dict[str, Any]
    match by:
        case "product":
            named = {"product_id": key, "product": names.get(str(key or ""), line.name)}
        case "customer":
            named = {"customer_id": key, "customer_name": names.get(str(key))}
        case "month":
            named = {"month": f"{key:%Y-%m}"}
        case _:
            named = {by: key}
    return {
        **named,
        "orders": line.orders,
        "pieces": line.pieces,
        "amount": line.amount,
    }


class ReadyPeriod(NamedTuple):
    """A period that is offered: what it is called, and its days."""

    words: str
    first: date
    last: date


def ready_periods(today: date, since: date | None) -> list[ReadyPeriod]:
    """Return the periods that are offered; *since* is the day of the first order."""
    month, year = today.replace(day=1), today.replace(month=1, day=1)
    before = month - timedelta(days=1)
    last_year = year - timedelta(days=1)
    return [
        ReadyPeriod("this month", month, today),
        ReadyPeriod("last month", before.replace(day=1), before),
        ReadyPeriod("last twelve months", first_of_months(today), today),
        ReadyPeriod("this year", year, today),
        ReadyPeriod("last year", last_year.replace(month=1, day=1), last_year),
        *([] if since is None else [ReadyPeriod("all", since, today)]),
    ]


def month_of(first: date, period: Period) -> tuple[date, date]:
    """Return the days of a month that are in *period*; *first* is its first one."""
    last = next_month(first) - timedelta(days=1)
    return max(first, period.first), min(last, period.last)
