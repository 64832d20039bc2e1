"""`recount commands`: the journal, for those who look after it."""

import click

from webapp.cli.commands_act import abandon, cancel, retry
from webapp.cli.commands_list import list_commands
from webapp.cli.commands_prune import prune_commands
from webapp.cli.commands_show import show


@click.group()
def commands() -> None:
    """Look at accepted commands, and decide about those that failed."""


for command in (abandon, cancel, list_commands, prune_commands, retry, show):
    commands.add_command(command)
