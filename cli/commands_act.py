"""`recount commands retry|abandon|cancel`: decisions, each with who and why."""

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
    """Give a command its arguments: of which command, by whom, and why."""
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
        raise click.UsageError("Who are you? --as NAME says so.") from None


def some_text(_context: Any, _parameter: Any, value: str) -> str:
    value = value.strip()
    if not value or len(value) > 500:
        raise click.BadParameter("say it in 1 to 500 characters, on a line")
    problem = problem_with(value)
    if problem:
        raise click.BadParameter(f"it {problem}")
    return value


@click.command()
@decision
def retry(command_id: UUID, by: str, because: str) -> None:
    """Let a failed command have its turn again, before those that came later."""
    decide(command_operations.retry, command_id, by, because)
    click.echo(f"{command_id} is accepted again and will be run.")


@click.command()
@decision
def abandon(command_id: UUID, by: str, because: str) -> None:
    """
    Give up a failed command for good, or one that waits and cannot be decided.

    `recount status` tells of those: their stream has something that this version cannot
    read, say. A step of a transfer that is given up is made up for.
    """
    wanted = "failed, nor waiting in a stream that is stuck"
    decide(command_operations.abandon, command_id, by, because, wanted=wanted)
    click.echo(f"{command_id} is abandoned.")


@click.command()
@decision
def cancel(command_id: UUID, by: str, because: str) -> None:
    """Take back a scheduled command whose time has not come."""
    decide(command_operations.cancel, command_id, by, because, wanted="scheduled")
    click.echo(f"{command_id} is cancelled.")


def decide(
    act: Act,
    command_id: UUID,
    by: str,
    because: str,
    wanted: str = "failed",
) -> None:
    """Do it, or end with the sentence that says why it cannot be done."""
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
