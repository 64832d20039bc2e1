"""`recount demo`: fills the shop with invented customers and orders."""

import os
import sys
from contextlib import closing
from urllib.parse import urlsplit

import click

from cli.output import progress
from tasks.shop.demo.client import Client, DemoFailed
from tasks.shop.demo.customers import CUSTOMERS
from tasks.shop.demo.orders import ORDERS
from tasks.shop.demo.running import Demo, count_steps
from tasks.shop.local_access import local_token
from tasks.shop.wiring import shop


def usable_address(
    _: click.Context, __: click.Parameter, value: str | None
) -> str | None:
    if value is None:
        return None
    try:
        url = urlsplit(value)
        is_plain = url.netloc.rpartition("@")[0] == "" and url.path in ("", "/")
        is_usable = url.scheme == "http" and url.hostname and url.port != 0 and is_plain
    except ValueError:
        is_usable = False
    if not is_usable:
        raise click.BadParameter("an address like http://127.0.0.1:5000")
    return value.rstrip("/")


def own_token(address: str, secret_key: str) -> str | None:
    """Return this computer's token, which only its owner can read."""
    is_here = urlsplit(address).hostname in ("127.0.0.1", "localhost", "::1")
    return local_token(secret_key) if is_here else None


@click.command(short_help="Fill the shop with invented orders, for a first look.")
@click.option(
    "--address",
    callback=usable_address,
    metavar="URL",
    help="Where the shop answers; the running ./recount up if not given.",
)
def demo(address: str | None) -> None:
    """
    Place invented orders, and pay, ship and deliver some of them.

    It goes through the front door, as any client of the API. A second run changes
    nothing, and one after a run that was stopped half way goes on, if it is by the
    same user. Where there are users, RECOUNT_TOKEN is to hold the token of one who
    may do it all.
    """
    settings = shop().settings
    address = address or f"http://127.0.0.1:{settings.port}"
    # Not an option: what stands on a command line, everybody on the machine can read.
    token = os.environ.get("RECOUNT_TOKEN") or own_token(address, settings.secret_key)
    client = Client(address, token)
    try:
        with closing(client), progress("demo", count_steps()) as advance:
            run = Demo(client, settings.currency, advance)
            run.run()
    except DemoFailed as error:
        click.echo(f"recount: {error}", err=True)
        sys.exit(1)
    if run.new:
        click.echo(f"{len(CUSTOMERS)} customers and {len(ORDERS)} orders are there")
    else:
        click.echo("nothing to do: all of it is there already")
    click.echo(f"look at {client.address}/orders")
