"""`recount claims`: makes the missing claims of customers."""

import click

from tasks.shop.claims_backfill import describe_unclaimed, fill
from tasks.shop.wiring import shop


@click.command()
def claims() -> None:
    """
    Claim for every customer the e-mail address that they have.

    A customer who is registered claims it at once. This is for those that were not:
    registered by a version that claimed nothing, or before SECRET_KEY was changed. The
    earliest customer gets it; the others are told and stay as they are. It may be run
    at any time, and again.
    """
    for unclaimed in fill(shop()):
        click.echo(describe_unclaimed(unclaimed))
    click.echo("all others have what they claim")
