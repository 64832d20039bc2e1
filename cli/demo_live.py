"""`recount demo --live`: places invented orders through the API."""

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


def place_live_orders(address: str | None) -> None:
    """
    Place the live orders of the demo through the API, and pay and ship some of them.

    Exits with status 1 where the shop does not take them.
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
