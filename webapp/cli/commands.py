"""`recount commands`: what operators do with the journal."""

import click

from webapp.cli.commands_submit import submit


@click.group()
def commands() -> None:
    """The journal: commands, one by one and by the file."""


commands.add_command(submit)
