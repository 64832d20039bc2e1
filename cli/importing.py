"""`recount import`: a shop's history, from its files into the log."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import psycopg

from cli import import_report as report
from cli.output import progress
from domain.fields import Text
from tasks.shop import setting_values
from tasks.shop.claims_backfill import describe_unclaimed, fill
from tasks.shop.history_import.appending import append_missing
from tasks.shop.history_import.catch_up import follow
from tasks.shop.history_import.comparing import PlanComparison
from tasks.shop.history_import.errors import ImportRefused
from tasks.shop.history_import.history import History, read_history
from tasks.shop.history_import.number_sequences import move_numbers
from tasks.shop.history_import.plan import Plan, plan_of
from tasks.shop.history_import.preconditions import alone, examine_log, examine_shop
from tasks.shop.wiring import Shop, shop

INTERRUPTED = 130


def currency_of(_: click.Context, __: click.Parameter, value: str) -> str:
    try:
        return setting_values.currency(value)
    except ValueError as error:
        raise click.BadParameter("three capital letters, like USD") from error


def source_of(context: click.Context, _: click.Parameter, value: str | None) -> str:
    name = context.params["folder"].resolve().name if value is None else value
    problem = Text(60).problem(name)
    if problem is None and not name.isprintable():
        problem = "must be of characters that can be seen"
    if problem is not None:
        raise click.BadParameter(f"the name {problem}")
    return name


@click.command("import", short_help="Bring a shop's history into the log.")
@click.argument(
    "folder",
    metavar="DIR",
    is_eager=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option(
    "--currency",
    required=True,
    callback=currency_of,
    metavar="CODE",
    help="The currency of the amounts; it must be the shop's CURRENCY.",
)
@click.option(
    "--source",
    callback=source_of,
    metavar="NAME",
    help="What the history is called in the log; the folder's name if not given.",
)
@click.option("--skip-bad", is_flag=True, help="Import the rest where rows are bad.")
@click.option(
    "--paid-when-shipped",
    is_flag=True,
    help="Note each shipped order as paid in full on that day.",
)
@click.option("--dry-run", is_flag=True, help="Check everything, and write nothing.")
def import_history(
    folder: Path,
    currency: str,
    source: str,
    skip_bad: bool,
    paid_when_shipped: bool,
    dry_run: bool,
) -> None:
    """
    Bring the history of a shop into the log.

    DIR has customers.csv, products.csv, orders.csv and order_details.csv, in UTF-8.
    Customers, products, orders and shippings are appended in order of time, at 00:00 of
    their days in the shop's TIMEZONE. A product without a price is not on the list.

    The files know no payments, so all that an order costs is due. Where shipped orders
    were paid, say --paid-when-shipped, in this run or in one more.

    Nothing is written before all rows were checked. A second run appends what is
    missing, so one that was killed is simply run again.
    """
    this = Import(shop(), currency)
    try:
        history = this.read(folder, skip_bad=skip_bad)
        plan = this.plan(history, source, paid_when_shipped=paid_when_shipped)
        if dry_run:
            this.rehearse(plan)
        else:
            this.carry_out(plan)
        report.tell_left_out(history, currency)
        if not paid_when_shipped:
            report.tell_unpaid()
    except ImportRefused as error:
        report.tell_refusal(error, this.appended)
        sys.exit(1)
    except psycopg.OperationalError as error:
        report.tell_loss(error, this.appended)
        sys.exit(1)
    except KeyboardInterrupt:
        report.tell_interruption(this.appended)
        sys.exit(INTERRUPTED)


@dataclass
class Import:
    """One import under way; *appended* counts the events that stay, however it ends."""

    shop: Shop
    currency: str
    appended: int = 0

    def read(self, folder: Path, *, skip_bad: bool) -> History:
        """Return what the files in *folder* tell, and list their bad rows."""
        examine_shop(self.shop, self.currency)
        click.echo(f"reading {folder}")
        history = read_history(folder, self.currency)
        report.tell_bad_rows(history.bad, all_of_them=skip_bad)
        if history.bad and not skip_bad:
            raise ImportRefused(
                "there are bad rows; correct them, or import the rest by --skip-bad"
            )
        return history

    def plan(self, history: History, source: str, *, paid_when_shipped: bool) -> Plan:
        plan = plan_of(
            history,
            source=source,
            currency=self.currency,
            zone=self.shop.settings.timezone,
            paid_when_shipped=paid_when_shipped,
        )
        report.tell_history(history, plan, self.currency)
        return plan

    def rehearse(self, plan: Plan) -> None:
        with self.shop.lent() as connection:
            compared = examine_log(connection, plan, self.currency, self.shop.deciders)
        report.tell_rehearsal(plan, compared)

    def carry_out(self, plan: Plan) -> None:
        with (
            self.shop.lent() as connection,
            alone(connection, tell=click.echo),
        ):
            compared = examine_log(connection, plan, self.currency, self.shop.deciders)
            if compared.missing(plan):
                self.bring_in(connection, plan, compared)
            else:
                report.tell_nothing_to_do(plan, compared)
        # Even if no event was missing: a run may have been killed before this.
        self.claim()
        self.catch_up()

    def bring_in(
        self, connection: psycopg.Connection[Any], plan: Plan, compared: PlanComparison
    ) -> None:
        started = time.monotonic()
        move_numbers(connection, plan, compared.new_streams(plan))
        missing = compared.missing(plan)
        with progress("appending", len(missing)) as advance:
            for count in append_missing(connection, plan, missing, self.shop.deciders):
                self.appended += count
                advance(count)
        report.tell_done(plan, compared, time.monotonic() - started)

    def claim(self) -> None:
        """Claim the addresses of imported customers, as registering them does."""
        for unclaimed in fill(self.shop):
            click.echo(describe_unclaimed(unclaimed))

    def catch_up(self) -> None:
        started = time.monotonic()
        lags = follow(self.shop)
        before = next(lags)
        if not before:
            return
        with progress("read models", before) as advance:
            for lag in lags:
                advance(before - lag)
                before = lag
            advance(before)
        report.tell_followed(self.shop, time.monotonic() - started)
