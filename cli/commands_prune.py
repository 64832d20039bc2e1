"""`recount commands prune`: deletes commands that finished long ago."""

from datetime import UTC, datetime, timedelta

import click

from cli.commands_act import as_somebody, some_text
from cli.output import DURATION, progress
from eventstore.journal.pruning import count_prunable, prune
from tasks.shop.wiring import shop


@click.command("prune")
@click.option(
    "--older-than",
    type=DURATION,
    required=True,
    metavar="AGE",
    help="Finished longer ago than this: 90d.",
)
@click.option("--yes", is_flag=True, help="Delete; without it, only count.")
@as_somebody("Who does it")
@click.option(
    "--because",
    default="they are old",
    callback=some_text,
    show_default=True,
    help="Why; it is kept.",
)
def prune_commands(older_than: timedelta, yes: bool, by: str, because: str) -> None:
    """
    Delete commands that finished long ago, with their history and their keys.

    Waiting, scheduled and failed commands stay, and the log is not changed. Afterwards
    the same Idempotency-Key makes a new command.
    """
    before = datetime.now(UTC) - older_than
    with shop().lent() as connection:
        counts = count_prunable(connection, before)
        total = sum(counts.values())
        said = ", ".join(f"{count:,} {status}" for status, count in counts.items())
        when = before.astimezone(shop().settings.timezone).isoformat(" ", "seconds")
        click.echo(f"finished before {when}: {said or 'nothing'}")
        if not yes:
            click.echo("nothing was deleted; --yes does it")
            return
        pruned = 0
        with progress("commands", total) as advance:
            for count in prune(connection, before, by=by, because=because):
                pruned += count
                advance(count)
    click.echo(f"{pruned:,} commands pruned")
