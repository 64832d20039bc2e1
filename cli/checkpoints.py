"""`recount checkpoints repair`: for a checkpoint that does not fit the log."""

import re

import click

from cli.commands_act import as_somebody, some_text
from eventstore.subscriptions.checkpoint_repair import repair_checkpoint
from tasks.shop.wiring import shop


@click.group()
def checkpoints() -> None:
    """Repair the checkpoints of readers of the log."""


@checkpoints.command()
@click.argument("name")
@click.option(
    "--after",
    type=click.IntRange(min=0),
    metavar="POSITION",
    help="What a process manager has acted on, where nothing else tells it.",
)
@as_somebody("Who decides")
@click.option(
    "--because",
    required=True,
    callback=some_text,
    help="Why; it is kept in the log of PostgreSQL.",
)
def repair(name: str, after: int | None, by: str, because: str) -> None:
    """
    Set a checkpoint that is not in the log back to the last event that was read.

    `recount status` shows the NAME. No event is skipped, and a process manager acts on
    none twice. A checkpoint that fits the log is not changed.
    """
    with shop().lent() as connection:
        repaired = repair_checkpoint(
            connection, name, by=by, because=because, after=after
        )
    if repaired is None:
        raise click.ClickException(f"There is no reader {name}: see recount status.")
    if repaired.fault is None:
        click.echo(f"{name} stands at a place of this log: nothing was changed.")
    elif repaired.moved_to is None:
        raise click.ClickException(f"{name} was not changed: {way_out(name)}.")
    else:
        click.echo(
            f"{name} goes on behind position {repaired.moved_to:,}, it stood at"
            f" {repaired.moved_from:,}."
        )


def way_out(name: str) -> str:
    """Return what to do if the right position cannot be determined."""
    read_model = re.fullmatch(r"(.+)_g\d+(_p\d+)?", name)
    if read_model is not None:
        return (
            "what its rows were made of is not in this log,"
            f" recount rebuild {read_model[1]}"
        )
    return (
        "neither the log nor the journal tells what it acted on. Look for the last"
        " event that it acted on, and name its position: --after POSITION"
    )
