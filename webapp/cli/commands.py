"""`recount commands`: the journal, for those who look after it."""

import click

from webapp.cli.commands_act import abandon, cancel, retry
from webapp.cli.commands_list import list_commands
from webapp.cli.commands_prune import prune_commands
from webapp.cli.commands_show import show
from webapp.cli.commands_submit import submit


@click.group()
def commands() -> None:
    """Look at accepted commands, submit files of them, and decide about failed ones."""


for command in (abandon, cancel, list_commands, prune_commands, retry, show, submit):
    commands.add_command(command)
