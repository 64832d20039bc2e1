"""The output of `recount import`: the history, the result, and refusals."""

from collections import Counter
from collections.abc import Sequence, Set

import click
import psycopg

from domain.money import format_amount, format_number
from tasks.catch_up import find_live_standings
from tasks.shop.history_import.csv_files import show_text
from tasks.shop.history_import.errors import ImportRefused
from tasks.shop.history_import.figures import figures_of
from tasks.shop.history_import.history import BadRow, History
from tasks.shop.history_import.plan import Plan
from tasks.shop.wiring import Shop

MAX_BAD_ROWS = 50
MAX_DETAILS = 20
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
        f"found      {count_in_words(figures.customers, 'customer')} and"
        f" {count_in_words(figures.orders, 'order')}, {figures.first_day} to"
        f" {figures.last_day}; {figures.not_shipped:,} not shipped"
    )
    click.echo(
        f"worth      {format_amount(figures.net, currency)},"
        f" {format_number(figures.gross, currency)} without discounts; freight"
        f" {format_number(figures.freight, currency)}"
    )
    click.echo(f"numbers    the highest order is {plan.highest_order}")


def tell_left_out(history: History) -> None:
    """Print the columns and bad rows of the files that were not imported."""
    for file, columns in history.not_kept.items():
        if columns:
            click.echo(f"not kept   {file}: {', '.join(map(show_column, columns))}")
    if history.bad:
        click.echo(
            f"skipped    {count_in_words(len(history.bad), 'bad row')};"
            f" {count_in_words(history.orders_left_out, 'order is', 'orders are')}"
            " left out"
        )


def show_column(column: str) -> str:
    return column if column.isidentifier() and column.isascii() else show_text(column)


def tell_done(plan: Plan, there: Set[int], seconds: float) -> None:
    click.echo(f"imported   {describe_missing(plan, there)} in {seconds:.1f} s")
    tell_there(there)


def tell_rehearsal(plan: Plan, there: Set[int]) -> None:
    click.echo(f"to import  {describe_missing(plan, there)}; nothing was written")
    tell_there(there)


def tell_there(there: Set[int]) -> None:
    if there:
        were = count_in_words(len(there), "event was", "events were")
        click.echo(f"there      {were} in the log already")


def tell_nothing_to_do(plan: Plan) -> None:
    click.echo(
        f"nothing to do: all {len(plan.events):,} events of"
        f" {show_text(plan.source)} are in the log"
    )


def describe_missing(plan: Plan, there: Set[int]) -> str:
    """Return how many events of *plan* are missing, in words."""
    counts = Counter(
        planned.type for place, planned in enumerate(plan.events) if place not in there
    )
    return (
        f"{count_in_words(counts['CustomerRegistered'], 'customer')},"
        f" {count_in_words(counts['OrderCreated'], 'order')} and"
        f" {count_in_words(counts['OrderShipped'], 'shipping')}:"
        f" {count_in_words(counts.total(), 'event')}"
    )


def count_in_words(count: int, one: str, many: str = "") -> str:
    """Return *count* with the word for it: `1 order`, `830 orders`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


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
