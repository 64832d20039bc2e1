"""`recount commands`: the journal, for those who look after it."""

import click

from webapp.cli.lazy import Lazy, LazyGroup

COMMANDS = {
    "abandon": Lazy(
        "webapp.cli.commands_act:abandon",
        "Give up a failed command for good, or one that waits and cannot be decided.",
    ),
    "cancel": Lazy(
        "webapp.cli.commands_act:cancel",
        "Take back a scheduled command whose time has not come.",
    ),
    "list": Lazy(
        "webapp.cli.commands_list:list_commands", "List commands, the newest first."
    ),
    "prune": Lazy(
        "webapp.cli.commands_prune:prune_commands",
        "Delete commands that finished long ago, with their history and their keys.",
    ),
    "retry": Lazy(
        "webapp.cli.commands_act:retry",
        "Let a failed command have its turn again, before those that came later.",
    ),
    "show": Lazy(
        "webapp.cli.commands_show:show",
        "Show a command: its data, its history, why it failed, and what it caused.",
    ),
    "submit": Lazy(
        "webapp.cli.commands_submit:submit",
        "Accept the commands of a file, a line of JSON each, as `POST"
        " /api/commands/batch`.",
    ),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def commands() -> None:
    """Look at accepted commands, submit files of them, and decide about failed ones."""
