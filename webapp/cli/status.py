"""`recount status`: what waits, how far the read models are, what has stopped."""

from datetime import UTC, datetime

import click

from eventstore.journal.entries import count_waiting
from eventstore.subscriptions.standing import find_standings
from tasks.bootstrap import shop


@click.command()
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
