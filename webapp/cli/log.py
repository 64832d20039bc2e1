"""`recount log`: the log itself, for those who look after it."""

import click

from webapp.cli.lag import lag
from webapp.cli.log_show import show


@click.group()
def log() -> None:
    """Look at the log: what is in it, and how far its readers are."""


log.add_command(lag)
log.add_command(show)
