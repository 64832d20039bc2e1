"""`recount log`: the log itself, for those who look after it."""

import click

from webapp.cli.lag import lag


@click.group()
def log() -> None:
    """Look at the log: how far its readers are."""


log.add_command(lag)
