"""`recount status`: what waits, how far the read models are, what has stopped."""

from datetime import UTC

import click

from eventstore.connection import driver_connection
from eventstore.journal.entries import Waiting, count_waiting
from eventstore.journal.undecided import Undecided, find_undecided
from eventstore.log.fence import find_holders
from eventstore.log.snapshots import Kept, count_snapshots
from eventstore.projections.generations import live_generations
from eventstore.rewriting.kept import names_of_kept
from eventstore.subscriptions.standing import find_standings
from eventstore.watching.heartbeats import find_heartbeats
from tasks import rebuilding
from tasks.bootstrap import shop
from webapp.cli.heartbeats import lines_of_heartbeats
from webapp.cli.holders import line_of_waiting
from webapp.cli.standings import lines_of_standings

STEPPED = "the database's clock stepped since they were accepted: ages may be wrong"


@click.command()
def status() -> None:
    """Show what waits, how far the read models are, and what has stopped."""
    with shop().autocommitting.connect() as connection:
        waiting = count_waiting(connection)
        standings = find_standings(connection)
        live = live_generations(driver_connection(connection))
        snapshots = count_snapshots(connection)
        holders = find_holders(driver_connection(connection))
        old_logs = names_of_kept(driver_connection(connection))
        heartbeats = find_heartbeats(connection)
        undecided = find_undecided(connection)
    outdated = [projection.name for projection in rebuilding.unfit(shop())]
    click.echo(line_of_commands(waiting))
    for command in undecided:
        click.echo(line_of_undecided(command))
    for line in lines_of_heartbeats(heartbeats):
        click.echo(line)
    for line in lines_of_standings(standings, live, outdated):
        click.echo(line)
    click.echo(line_of_snapshots(snapshots))
    if old_logs:
        click.echo(
            f"kept from before a rewrite: {', '.join(old_logs)}; who was forgotten"
            " since may be readable there, until recount log drop"
        )
    if waited_for := line_of_waiting(holders):
        click.echo(waited_for)
    names = {standing.name.rpartition("_g")[0] for standing in standings}
    for name in outdated:
        if name not in names:
            click.echo(f"{name}: it has no rows yet, recount rebuild {name}")
    if not standings:
        click.echo("no read model yet: a worker, the relay or the web makes them")


def line_of_commands(waiting: Waiting) -> str:
    line = f"commands: {waiting.count} waiting, {waiting.failed} failed"
    if waiting.oldest is not None:
        line += f", the oldest since {waiting.age:.1f} s"
    if waiting.scheduled:
        line += f"; {waiting.scheduled} scheduled"
    return f"{line}; {STEPPED}" if waiting.clock_stepped else line


def line_of_undecided(command: Undecided) -> str:
    """Return which command cannot be decided, why, and what can be done about it."""
    behind = f", and {command.behind:,} behind it" if command.behind else ""
    since = f"{command.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return (
        f"CANNOT BE DECIDED: {command.type} {command.command_id} of"
        f" {command.stream_id}{behind}, tried {command.attempts:,} times since {since}:"
        f" {command.error}: {command.message} It waits; when it is not to wait:"
        " recount commands abandon"
    )


def line_of_snapshots(snapshots: Kept) -> str:
    line = f"snapshots: of {snapshots.streams} streams"
    if not snapshots.ignored:
        return line
    return f"{line}; ignored {snapshots.ignored} times, as they were no use"
