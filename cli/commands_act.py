"""`recount commands retry|abandon|cancel`: recorded with name and reason."""

import getpass
from collections.abc import Callable
from typing import Any
from uuid import UUID

import click

from domain.characters import problem_with
from domain.errors import DomainError
from eventstore.errors import EventStoreError
from eventstore.journal.operator_actions import ActionResult
from tasks import command_operations
from tasks.shop.wiring import shop

Act = Callable[..., ActionResult | None]


def as_somebody(who: str) -> Callable[..., Any]:
    """Return the option `--as`, whose help begins with *who*."""
    return click.option(
        "--as",
        "by",
        default=user_here,
        callback=some_text,
        metavar="NAME",
        help=f"{who}; without it the user of this computer.",
    )


def decision(function: Callable[..., None]) -> Callable[..., None]:
    """Add the arguments of a command: command id, operator and reason."""
    for option in (
        click.option(
            "--because",
            required=True,
            callback=some_text,
            help="Why; it is kept with the command.",
        ),
        as_somebody("Who decides"),
        click.argument("command_id", type=click.UUID),
    ):
        function = option(function)
    return function


def user_here() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may have a user without a name.
        raise click.UsageError("The operator is unknown: add --as NAME.") from None


def some_text(_context: Any, _parameter: Any, value: str) -> str:
    value = value.strip()
    if not value or len(value) > 500:
        raise click.BadParameter("give a reason of 1 to 500 characters, on one line")
    problem = problem_with(value)
    if problem:
        raise click.BadParameter(f"it {problem}")
    return value


@click.command()
@decision
def retry(command_id: UUID, by: str, because: str) -> None:
    """Make a failed command due again, before commands that were accepted later."""
    decide(command_operations.retry, command_id, by, because)
    click.echo(f"{command_id} is accepted again and will be run.")


@click.command()
@decision
def abandon(command_id: UUID, by: str, because: str) -> None:
    """
    Give up a failed command, or one that cannot be decided; this is final.

    `recount status` lists commands that cannot be decided, for example because this
    version cannot read their stream. A transfer whose step is given up is compensated.
    """
    wanted = "failed, nor waiting in a stream that is stuck"
    decide(command_operations.abandon, command_id, by, because, wanted=wanted)
    click.echo(f"{command_id} is abandoned.")


@click.command()
@decision
def cancel(command_id: UUID, by: str, because: str) -> None:
    """Cancel a scheduled command before its time."""
    decide(command_operations.cancel, command_id, by, because, wanted="scheduled")
    click.echo(f"{command_id} is cancelled.")


def decide(
    act: Act,
    command_id: UUID,
    by: str,
    because: str,
    wanted: str = "failed",
) -> None:
    """Run *decide*, or end with a message that says why it is not possible."""
    try:
        acted = act(shop(), command_id, by=by, because=because)
    except (DomainError, EventStoreError) as refusal:
        raise click.ClickException(f"{refusal} Nothing was changed.") from refusal
    if acted is None:
        raise click.ClickException(f"There is no command {command_id}.")
    if not acted.was_done:
        raise click.ClickException(
            f"{command_id} is {acted.status}, not {wanted}: nothing was changed."
        )
