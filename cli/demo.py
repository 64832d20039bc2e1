"""`recount demo`: fills an empty shop with a history, or any shop with live orders."""

import sys
from contextlib import nullcontext
from datetime import datetime, timedelta

import click
import psycopg

from cli import import_report as report
from cli.demo_live import place_live_orders, usable_address
from cli.importing import INTERRUPTED, Import
from cli.output import progress
from tasks.shop.demo.history.existing import choose_demo, find_demo
from tasks.shop.demo.history.planning import (
    DEFAULT_ORDERS,
    MAX_ORDERS,
    MIN_ORDERS,
    DemoWanted,
    plan_demo,
)
from tasks.shop.history_import.errors import ImportRefused
from tasks.shop.history_import.plan import Plan
from tasks.shop.history_import.preconditions import examine_shop
from tasks.shop.wiring import Shop, shop

MANY_ORDERS = 2_000
"""So many take more than a second to invent."""


@click.command(short_help="Fill an empty shop with invented months, for a first look.")
@click.option(
    "--orders",
    type=click.IntRange(MIN_ORDERS, MAX_ORDERS),
    metavar="COUNT",
    help=f"How many orders: {DEFAULT_ORDERS} if not given, at least {MIN_ORDERS}.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31),
    metavar="NUMBER",
    help="Another number makes another shop; 1 if not given.",
)
@click.option(
    "--live",
    is_flag=True,
    help="Place forty orders through the API instead, beside what is there.",
)
@click.option(
    "--address",
    callback=usable_address,
    metavar="URL",
    help="With --live: where the shop answers; the running ./recount up if not given.",
)
def demo(orders: int | None, seed: int | None, live: bool, address: str | None) -> None:
    """
    Fill an empty shop with seven invented months, which end yesterday.

    They are imported facts: a price list; customers of whom one was renamed, one
    corrected twice and one forgotten; orders in every state, with parcels, part
    payments, changes, returns, cancellations and refunds; accounts and transfers; by
    several people. The same seed on the same day makes the same shop. A
    second run changes nothing, and completes a first one that was killed.

    With --live it places orders through the front door, as any client of the API. A
    second run of it changes nothing either. Where there are users, RECOUNT_TOKEN is to
    hold the token of one who may do it all.
    """
    if live:
        if orders is not None or seed is not None:
            raise click.UsageError("--live has no --orders and no --seed")
        place_live_orders(address)
    elif address is not None:
        raise click.UsageError("--address is for --live")
    else:
        import_demo(orders, seed)


def import_demo(orders: int | None, seed: int | None) -> None:
    this = shop()
    run = Import(this, this.settings.currency)
    try:
        examine_shop(this, run.currency)
        wanted = find_wanted(this, orders, seed)
        run.carry_out(invent(this, wanted))
    except ImportRefused as error:
        report.tell_refusal(error, run.appended)
        sys.exit(1)
    except psycopg.OperationalError as error:
        report.tell_loss(error, run.appended)
        sys.exit(1)
    except KeyboardInterrupt:
        report.tell_interruption(run.appended)
        sys.exit(INTERRUPTED)
    click.echo(f"look at http://127.0.0.1:{this.settings.port}/orders")


def invent(this: Shop, wanted: DemoWanted) -> Plan:
    """Return the demo's events; large ones with a progress line."""
    takes_long = wanted.orders >= MANY_ORDERS
    with progress("orders", wanted.orders) if takes_long else nullcontext() as advance:
        return plan_demo(
            wanted,
            currency=this.settings.currency,
            zone=this.settings.timezone,
            advance=advance or (lambda count: None),
        )


def find_wanted(this: Shop, orders: int | None, seed: int | None) -> DemoWanted:
    """Return the demo to make. Raises ImportRefused where it cannot be made."""
    with this.lent() as connection:
        existing = find_demo(connection)
    today = datetime.now(this.settings.timezone).date()
    return choose_demo(
        existing, orders=orders, seed=seed, yesterday=today - timedelta(days=1)
    )
