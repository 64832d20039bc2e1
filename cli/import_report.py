"""The output of `recount import`: the history, the result, and refusals."""

from collections import Counter
from collections.abc import Iterable, Sequence

import click
import psycopg

from domain.money import format_amount, format_number
from tasks.catch_up import find_live_standings
from tasks.shop.counts import count_in_words
from tasks.shop.history_import.comparing import PlanComparison
from tasks.shop.history_import.csv_files import show_text
from tasks.shop.history_import.errors import ImportRefused
from tasks.shop.history_import.figures import figures_of
from tasks.shop.history_import.history import BadRow, History
from tasks.shop.history_import.plan import Plan
from tasks.shop.history_import.price_list import price_list_of
from tasks.shop.wiring import Shop

MAX_BAD_ROWS = 50
MAX_DETAILS = 20
COUNTED = {
    "CustomerRegistered": "customer",
    "ProductAdded": "product",
    "OrderCreated": "order",
    "OrderShipped": "shipping",
    "PaymentReceived": "payment",
    "ProductDiscontinued": "discontinuation",
}
"""The events that the result counts, each by a word for it."""
GO_ON = "What was appended stays; run the same command again to continue."


def tell_bad_rows(bad: Sequence[BadRow], *, all_of_them: bool) -> None:
    """Print the bad rows: the first fifty, or all if they are skipped."""
    for row in bad if all_of_them else bad[:MAX_BAD_ROWS]:
        click.echo(str(row), err=True)
    if not all_of_them:
        tell_rest(len(bad) - MAX_BAD_ROWS, ": --skip-bad --dry-run lists all")


def tell_rest(count: int, how: str = "") -> None:
    if count > 0:
        click.echo(f"… and {count:,} more{how}", err=True)


def tell_history(history: History, plan: Plan, currency: str) -> None:
    figures = figures_of(history)
    click.echo(
        f"found      {count_in_words(figures.customers, 'customer')},"
        f" {count_in_words(len(history.products), 'product')} and"
        f" {count_in_words(figures.orders, 'order')}, {figures.first_day} to"
        f" {figures.last_day}; {figures.not_shipped:,} not shipped"
    )
    click.echo(
        f"worth      {format_amount(figures.net, currency)},"
        f" {format_number(figures.gross, currency)} without discounts; freight"
        f" {format_number(figures.freight, currency)}"
    )
    click.echo(f"numbers    the highest order is {plan.highest_order}")


def tell_left_out(history: History, currency: str) -> None:
    """Print what of the files was not imported: columns, bad rows, products."""
    for file, columns in history.not_kept.items():
        if columns:
            click.echo(f"not kept   {file}: {', '.join(map(show_column, columns))}")
    unlisted = price_list_of(history, currency)
    tell_unlisted(unlisted.without_price, "no price")
    if unlisted.without_price:
        click.echo("           recount products adopt gives those ordered a price")
    tell_unlisted(unlisted.no_numbers, "an id that no product here can have")
    if history.bad:
        click.echo(
            f"skipped    {count_in_words(len(history.bad), 'bad row')};"
            f" {count_in_words(history.orders_left_out, 'order is', 'orders are')}"
            " left out"
        )


def tell_unpaid() -> None:
    click.echo(
        "payments   these files know none, so what orders cost is due;"
        " --paid-when-shipped notes shipped orders as paid"
    )


def tell_unlisted(ids: Sequence[str], what: str) -> None:
    """Print the products that are not on the price list since they have *what*."""
    if ids:
        have = count_in_words(len(ids), "product has", "products have")
        click.echo(
            f"not listed {have} {what}: {shown(map(show_text, ids))}; orders keep name"
            " and price of each line"
        )


def shown(names: Iterable[str]) -> str:
    """Return the first of *names*, and how many more there are."""
    some = list(names)
    more = len(some) - MAX_DETAILS
    return ", ".join(some[:MAX_DETAILS]) + (f" and {more:,} more" if more > 0 else "")


def show_column(column: str) -> str:
    return column if column.isidentifier() and column.isascii() else show_text(column)


def tell_done(plan: Plan, compared: PlanComparison, seconds: float) -> None:
    click.echo(f"imported   {describe_missing(plan, compared)} in {seconds:.1f} s")
    tell_there(compared)


def tell_rehearsal(plan: Plan, compared: PlanComparison) -> None:
    click.echo(f"to import  {describe_missing(plan, compared)}; nothing was written")
    tell_there(compared)


def tell_there(compared: PlanComparison) -> None:
    count = len(compared.there)
    if count:
        were = count_in_words(count, "event was", "events were")
        click.echo(f"there      {were} in the log already")
    tell_kept(compared)


def tell_kept(compared: PlanComparison) -> None:
    tell_other_products(compared)
    tell_used(compared)


def tell_used(compared: PlanComparison) -> None:
    """Print the orders whose payment is not noted: the shop went on with them."""
    if compared.used:
        names = sorted((n.partition("-")[2] for n in compared.used), key=int)
        were = count_in_words(len(names), "order was", "orders were")
        stay = "stays" if len(names) == 1 else "stay"
        click.echo(f"not paid   {were} changed here, and {stay} as now: {shown(names)}")


def tell_other_products(compared: PlanComparison) -> None:
    """Print the products that the files have otherwise than the price list."""
    if compared.products:
        names = sorted(name.partition("-")[2] for name in compared.products)
        are = count_in_words(len(names), "product is", "products are")
        stay = "stays" if len(names) == 1 else "stay"
        click.echo(
            f"unchanged  {are} on the price list otherwise, and {stay}: {shown(names)}"
        )


def tell_nothing_to_do(plan: Plan, compared: PlanComparison) -> None:
    of = "all " if not compared.products and not compared.used else ""
    click.echo(
        f"nothing to do: {of}{len(compared.there):,} events of"
        f" {show_text(plan.source)} are in the log"
    )
    tell_kept(compared)


def describe_missing(plan: Plan, compared: PlanComparison) -> str:
    """Return how many events of *plan* are missing, in words."""
    counts = Counter(plan.events[place].type for place in compared.missing(plan))
    parts = [
        count_in_words(counts[kind], word)
        for kind, word in COUNTED.items()
        if counts[kind]
    ]
    listed = " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))
    return f"{listed}: {count_in_words(counts.total(), 'event')}"


def tell_followed(shop: Shop, seconds: float) -> None:
    """Print whether the read models have reached the end of the log."""
    behind = [
        standing
        for standing in find_live_standings(shop)
        if standing.lag or standing.standstill
    ]
    if not behind:
        click.echo(f"caught up  the read models in {seconds:.1f} s")
    for standing in behind:
        click.echo(
            f"behind     {standing.name} by {standing.lag:,}: see recount status",
            err=True,
        )


def tell_refusal(error: ImportRefused, appended: int) -> None:
    click.echo(f"recount: {error}", err=True)
    for detail in error.details[:MAX_DETAILS]:
        click.echo(f"  {detail}", err=True)
    tell_rest(len(error.details) - MAX_DETAILS)
    if appended:
        click.echo(
            f"{count_in_words(appended, 'event was', 'events were')} appended before,"
            " and"
            " stay. Take out of the files"
            " what is used otherwise, and run it again.",
            err=True,
        )
    else:
        click.echo("Nothing was imported.", err=True)


def tell_loss(error: psycopg.OperationalError, appended: int) -> None:
    click.echo(f"recount: PostgreSQL went away: {error}", err=True)
    tell_how_to_go_on(appended)


def tell_interruption(appended: int) -> None:
    click.echo("\nrecount: stopped.", err=True)
    tell_how_to_go_on(appended)


def tell_how_to_go_on(appended: int) -> None:
    """A batch whose answer was lost may be in the log, and is not counted."""
    were = count_in_words(appended, "event was", "events were")
    click.echo(f"At least {were} appended by this run. {GO_ON}", err=True)
