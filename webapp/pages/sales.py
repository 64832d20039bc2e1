"""The page of what was sold, by month, product, country or customer, and its CSV."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from domain.forgotten import FORGOTTEN
from readmodels.sales_sums import TIMES, SalesLine
from webapp.csv_files.cells import amount_cell, cell_of
from webapp.csv_files.naming import called, has_bom
from webapp.csv_files.sending import one_of_few, spool
from webapp.current_shop import the_notation, the_shop
from webapp.plots import PlotPart, plot_bars, plot_columns
from webapp.query_parameters import only
from webapp.sales_asked import (
    MAX_DAYS_SHOWN,
    OF_SALES,
    FoundSales,
    SalesQuestion,
    days_of,
    find_sales,
    month_of,
    ready_periods,
    sales_asked,
    values_of,
)

A_PAGE = 50
MAX_BARS = 10

routes = Blueprint("sales", __name__)


class ShownLine(NamedTuple):
    """
    A line of the table: what it is called, its number, and its sums.

    *about* are the parameters of the page that has more of it; None if there is none.
    *share* is its part of the total.
    """

    label: str
    number: str | None
    about: dict[str, str] | None
    sums: SalesLine
    share: Decimal


@routes.get("/sales")
def show() -> ResponseReturnValue:
    asked = sales_asked(MAX_DAYS_SHOWN)
    found = find_sales(asked, A_PAGE)
    lines = [shown(asked, found, line) for line in found.page.lines]
    return render_template(
        "sales.html",
        asked=asked,
        page=found.page,
        lines=lines,
        plot=None if asked.after or not lines else plot_of(asked, lines),
        bars=MAX_BARS if asked.by not in TIMES and len(lines) > MAX_BARS else None,
        periods=[
            (one.words, days_of(one.first, one.last))
            for one in ready_periods(asked.today, found.page.since)
        ],
    )


def shown(asked: SalesQuestion, found: FoundSales, line: SalesLine) -> ShownLine:
    """Return a line as the page has it."""
    notation, key = the_notation(), line.key
    total = found.page.total.amount
    share = Decimal(line.amount) / total if total else Decimal(0)
    number, about = None, None
    match asked.by:
        case "month":
            assert isinstance(key, date)
            label = notation.write_month(key)
            about = {"by": "day", **days_of(*month_of(key, asked.period))}
        case "day":
            assert isinstance(key, date)
            label = notation.write_day(key)
            about = {"by": "product", **days_of(key, key)}
        case "country":
            label = FORGOTTEN if key is None else str(key)
        case "product":
            number = None if key is None else str(key)
            label = found.names.get(number or "", line.name or "")
            about = {"product_id": number} if number and number in found.names else None
        case _:
            number = str(key)
            label = found.names.get(number, number)
            about = {"customer_id": number} if number in found.names else None
    return ShownLine(label, number, about, line, share)


def plot_of(asked: SalesQuestion, lines: list[ShownLine]) -> Markup:
    """Return the plot of the lines; where they have names, of the largest."""
    notation = the_notation()
    things = [
        PlotPart(
            line.label,
            line.sums.amount,
            notation.write_money(line.sums.amount, notation.currency),
        )
        for line in lines
    ]
    most = max(things, key=lambda thing: thing.amount)
    title = f"Sales by {asked.by}; the most: {most.label}, {most.words}"
    if asked.by in TIMES:
        return plot_columns(title, things)
    return plot_bars(title, things[:MAX_BARS])


@routes.get("/sales.csv")
def as_csv() -> ResponseReturnValue:
    """Answer with all lines; amounts are plain decimals of the shop's currency."""
    only(*(name for name in OF_SALES if name != "after"), "bom", "min_position")
    asked, bom = sales_asked(), has_bom()
    with one_of_few():
        found = find_sales(asked, None)
        answer = spool(lines_of(asked, found), has_bom=bom)
    return called(answer, f"sales-by-{asked.by}", found.position)


def lines_of(asked: SalesQuestion, found: FoundSales) -> Iterator[list[str]]:
    currency = the_shop().settings.currency
    # Of no line, for the names of the columns where there is none.
    nothing = SalesLine(key=date.min)
    yield [*values_of(asked.by, nothing, {}), "currency"]
    for line in found.page.lines:
        values = values_of(asked.by, line, found.names)
        values["amount"] = amount_cell(line.amount, currency)
        yield [*map(cell_of, values.values()), currency]
