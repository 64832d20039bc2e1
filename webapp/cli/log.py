"""`recount log`: the log itself, for those who look after it."""

import click

from webapp.cli.lag import lag
from webapp.cli.log_kept import drop, kept
from webapp.cli.log_rewrite import rewrite
from webapp.cli.log_show import show


@click.group(short_help="Look at the log, or rewrite it.")
def log() -> None:
    """Look at the log: what is in it, how far its readers are; and rewrite it."""


for command in (drop, kept, lag, rewrite, show):
    log.add_command(command)
