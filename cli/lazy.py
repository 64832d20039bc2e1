"""A group of commands, each of which is imported when it is run."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click


class Lazy(NamedTuple):
    """The place of a command, `module:name`, and its line in a list of commands."""

    place: str
    help: str

    def load(self) -> click.Command:
        module, _, name = self.place.partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command), self.place
        return command

    def short_help(self, limit: int) -> str:
        """Return its help in at most so many letters, as click shortens it."""
        return click.Command(None, help=self.help).get_short_help_str(limit)


class LazyGroup(click.Group):
    """
    Commands by name, which are not imported for a list of them, nor for each other.

    What one command needs (Celery, the web, a driver) costs the others no time.
    """

    def __init__(
        self, *arguments: Any, lazy: Mapping[str, Lazy], **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self.lazy})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self.lazy:
            return self.lazy[cmd_name].load()
        return super().get_command(ctx, cmd_name)

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the list of the commands by what is known without importing them."""
        names = sorted(self.lazy)
        limit = formatter.width - 6 - max(map(len, names))
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, self.lazy[name].short_help(limit)) for name in names]
            )
