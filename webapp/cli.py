"""The command line: `recount`, for operators. Flask's own commands are in it too."""

import sys
from datetime import UTC, datetime

import click
from flask.cli import FlaskGroup
from sqlalchemy.exc import OperationalError

from eventstore.journal.entries import count_waiting
from eventstore.subscriptions.standing import find_standings
from tasks.bootstrap import shop
from webapp import create_app

cli = FlaskGroup(
    name="recount",
    create_app=create_app,
    help="The order desk, its journal and its read models.",
)


@cli.command()
def status() -> None:
    """Show what waits, how far the read models are, and what has stopped."""
    with shop().autocommitting.connect() as connection:
        waiting = count_waiting(connection)
        standings = find_standings(connection)
    line = f"commands      {waiting.count} waiting, {waiting.failed} failed"
    if waiting.oldest is not None:
        age = (datetime.now(UTC) - waiting.oldest).total_seconds()
        line += f", the oldest since {max(age, 0):.1f} s"
    click.echo(line)
    for standing in standings:
        line = f"{standing.name:13} at {standing.checkpoint}, {standing.lag} behind"
        if standing.stopped_at_position is not None:
            reason = (standing.error or {}).get("error", "")
            line += f", STOPPED at {standing.stopped_at_position}: {reason}"
        click.echo(line)
    if not standings:
        click.echo("no read model yet: a worker, the relay or the web makes them")


def main() -> None:
    """Run the command line; a database that is away is one line, not a traceback."""
    try:
        cli.main()
    except OperationalError as error:
        click.echo(f"recount: PostgreSQL does not answer: {error.orig}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
