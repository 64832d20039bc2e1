"""Flask's own commands `shell`, `run` and `routes`."""

import click
from flask.cli import FlaskGroup

from webapp import create_app


def of_flask(name: str) -> click.Command:
    """Return a command that passes its arguments to Flask's command *name*."""

    @click.command(
        name,
        add_help_option=False,
        context_settings={"ignore_unknown_options": True},
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def command(arguments: tuple[str, ...]) -> None:
        FlaskGroup(create_app=create_app).main([name, *arguments], prog_name="recount")

    return command


routes, run, shell = map(of_flask, ("routes", "run", "shell"))
