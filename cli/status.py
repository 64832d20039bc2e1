"""`recount status`: waiting commands, processes, read models and errors."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC

import click

from cli.fillings_shown import lines_of_fillings
from cli.holders import line_of_waiting
from cli.status_of_audit import line_of_audit
from cli.webhooks_show import NOBODY
from eventstore.aggregates.snapshots import SnapshotCount, count_snapshots
from eventstore.errors import CheckpointNotInLog
from eventstore.explaining.audit_records import count_wrong_rows, load_walks
from eventstore.heartbeats.heartbeats import Heartbeat, find_heartbeats
from eventstore.journal.entries import WaitingCount, count_waiting
from eventstore.journal.undecided_commands import UndecidedCommand, find_undecided
from eventstore.log.fence import find_holders
from eventstore.past.copy_counts import CopyCounts, count_copies
from eventstore.projections.generations import LiveGeneration, live_generations
from eventstore.projections.parked_streams import ParkedCount, count_parked
from eventstore.projections.tables import name_of
from eventstore.rebuilding.fillings import find_fillings
from eventstore.rewriting.archived_logs import names_of_kept
from eventstore.subscriptions.idle_reasons import HELD_BACK, LOCKED
from eventstore.subscriptions.lag import SubscriptionLag
from eventstore.subscriptions.standstill import IDLE, MISSING, OUTDATED, Standstill
from eventstore.subscriptions.stop_reasons import CHECKPOINT, RIGHTS
from tasks.shop import rebuild
from tasks.shop.printable import printable
from tasks.shop.standings import find_all_standings
from tasks.shop.wiring import shop
from tasks.webhooks.progress import count_states, find_stopped
from tasks.webhooks.registry import State
from tasks.webhooks.turn import is_taken

SECONDS_TO_MENTION = 1.0
"""The age in seconds from which on the age of unread events is mentioned."""
STEPPED = "the database's clock stepped since they were accepted: ages may be wrong"


@click.command()
def status() -> None:
    """Show waiting commands, processes, read models and errors."""
    with shop().autocommitting.connect() as tables:
        waiting = count_waiting(tables)
        undecided = find_undecided(tables)
    with shop().lent() as connection:
        standings = find_all_standings(connection, shop().projections)
        live = live_generations(connection)
        snapshots = count_snapshots(connection)
        holders = find_holders(connection)
        old_logs = names_of_kept(connection)
        heartbeats = find_heartbeats(connection)
        webhooks, no_more = count_states(connection), find_stopped(connection)
        sends = is_taken(connection)
        parked = count_parked(connection)
        wrong, walks = count_wrong_rows(connection), load_walks(connection)
        fillings = find_fillings(connection)
        copies = count_copies(connection)
    outdated = [projection.name for projection in rebuild.find_unfit(shop())]
    click.echo(line_of_commands(waiting))
    for command in undecided:
        click.echo(line_of_undecided(command))
    for line in lines_of_heartbeats(heartbeats):
        click.echo(line)
    for line in lines_of_standings(standings, live, outdated):
        click.echo(line)
    for line in lines_of_fillings(fillings):
        click.echo(line)
    for name, count in parked.items():
        click.echo(line_of_parked(name, count))
    if audited := line_of_audit(shop().projections, wrong, walks):
        click.echo(audited)
    click.echo(line_of_snapshots(snapshots))
    for line in lines_of_webhooks(webhooks, no_more, sends=sends):
        click.echo(line)
    for line in lines_of_past(copies):
        click.echo(line)
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


def line_of_commands(waiting: WaitingCount) -> str:
    line = f"commands: {waiting.count} waiting, {waiting.failed} failed"
    if waiting.oldest is not None:
        line += f", the oldest since {waiting.age:.1f} s"
    if waiting.scheduled:
        line += f"; {waiting.scheduled} scheduled"
    return f"{line}; {STEPPED}" if waiting.clock_stepped else line


def line_of_undecided(command: UndecidedCommand) -> str:
    """Return the line of a command that cannot be decided: error and advice."""
    behind = f", and {command.behind:,} behind it" if command.behind else ""
    since = f"{command.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return (
        f"CANNOT BE DECIDED: {command.type} {command.command_id} of"
        f" {command.stream_id}{behind}, tried {command.attempts:,} times since {since}:"
        f" {command.error}: {command.message} It waits; when it is not to wait:"
        " recount commands abandon"
    )


def line_of_parked(name: str, count: ParkedCount) -> str:
    """Return the line of a read model that leaves streams out."""
    streams = "1 stream" if count.number == 1 else f"{count.number:,} streams"
    since = f"{count.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return f"{name}: {streams} PARKED since {since}: recount parked list {name}"


def line_of_snapshots(snapshots: SnapshotCount) -> str:
    line = f"snapshots: of {snapshots.streams} streams"
    if not snapshots.ignored:
        return line
    return f"{line}; ignored {snapshots.ignored} times, as they were no use"


def lines_of_webhooks(
    states: Mapping[State, int], stopped: Mapping[str, str], *, sends: bool
) -> Iterator[str]:
    """
    Yield a line that counts webhooks, if there are any, and one for each stopped.

    One more, if some are active and nobody *sends*.
    """
    if any(states.values()):
        counts = [f"{count} {state}" for state, count in states.items() if count]
        yield f"webhooks: {', '.join(counts)}"
    if states["active"] and not sends:
        yield NOBODY
    for name, because in stopped.items():
        yield (
            f"webhook {name} STOPPED: {printable(because)}; when it is mended: recount"
            f" webhooks resume {name}"
        )


def lines_of_past(copies: CopyCounts) -> Iterator[str]:
    """Yield a line that counts the copies of the past, if there are any."""
    if not any(copies.by_state.values()):
        return
    counts = [f"{count} {state}" for state, count in sorted(copies.by_state.items())]
    line = f"copies of the past: {', '.join(counts)}, {copies.bytes / 1e6:,.1f} MB"
    if copies.waiting >= SECONDS_TO_MENTION:
        line += f"; one is WAITED FOR since {copies.waiting:,.0f} s: does a relay run?"
    yield f"{line}: recount past list"


def lines_of_heartbeats(heartbeats: Sequence[Heartbeat]) -> Iterator[str]:
    """Yield a line for each process, and one for each kind without a process."""
    for heartbeat in heartbeats:
        yield line_of(heartbeat)
    alive = {heartbeat.role for heartbeat in heartbeats if heartbeat.is_alive}
    if "worker" not in alive:
        yield "no worker beats: what waits is the relay's"
    if "relay" not in alive:
        yield "no relay beats: what is scheduled, or lost its message, waits"


def line_of(heartbeat: Heartbeat) -> str:
    if not heartbeat.is_alive:
        return f"{heartbeat.process} SILENT for {heartbeat.silence:.0f} s"
    breaker = heartbeat.detail.get("breaker")
    if breaker in (None, "closed"):
        return f"{heartbeat.process} beats"
    return f"{heartbeat.process} beats; its breaker is {breaker}: no broker answers it"


REASONS = {
    IDLE: "nobody reads on: look whether a worker or the relay is alive and not"
    " stopped, and at their logs",
    LOCKED: "another session holds its row in subscriptions: {holder}",
    HELD_BACK: "a writer that does not end holds back all readers: recount log lag",
    RIGHTS: "a worker or the relay lacks a right that it needs to read: recount doctor",
    MISSING: "its checkpoint was taken away: a worker or the relay makes it when it"
    " starts, behind what was acted on",
}
"""The advice for a standstill of which the reader stored no error."""


def lines_of_standings(
    standings: Sequence[SubscriptionLag],
    live: Mapping[str, LiveGeneration],
    outdated: Collection[str] = (),
) -> list[str]:
    width = max((len(standing.name) for standing in standings), default=0)
    return [
        f"{standing.name:{width}} {describe_lag(standing, live, outdated)}"
        for standing in standings
    ]


def describe_standstill(standing: SubscriptionLag, standstill: Standstill) -> str:
    """Return how far behind it is, since when it stands still, why, and what to do."""
    since = ""
    if standstill.since is not None:
        since = f" (since {standstill.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC)"
    if standstill.because == CHECKPOINT:
        error = CheckpointNotInLog(standing.name, standing.checkpoint)
        return f", NOT IN THIS LOG: {error}{since}"
    behind = f", {describe_distance(standing)}, "
    read_model, generation, _ = standing.name.rpartition("_g")
    if standstill.because == OUTDATED:
        return f"{behind}{advise_rebuild(read_model)}{since}"
    advice = REASONS.get(standstill.because, "")
    if standstill.because == MISSING and generation:
        advice = (
            f"its rows or its checkpoint were dropped: recount rebuild {read_model}"
        )
    if standstill.holder is not None:
        advice = advice.format(holder=printable(standstill.holder))
    reason = (standing.error or {}).get("error") or advice
    state = "STANDS STILL"
    if standing.stopped_at_position is not None:
        state = f"STOPPED at {standing.stopped_at_position:,}"
    again = ""
    if standstill.next_try_at is not None:
        again = f", set apart until {standstill.next_try_at.astimezone(UTC):%H:%M:%S}"
    return f"{behind}{state}: {reason}{since}{again}"


def describe_distance(standing: SubscriptionLag) -> str:
    """Return how far a reader is behind: positions, and the age of what it has next."""
    behind = f"{standing.lag:,} behind"
    if standing.seconds is None or standing.seconds < SECONDS_TO_MENTION:
        return behind
    return f"{behind} by {standing.seconds:,.0f} s"


def advise_rebuild(read_model: str) -> str:
    return f"OUTDATED: its definition has changed, recount rebuild {read_model}"


def describe_lag(
    standing: SubscriptionLag,
    live: Mapping[str, LiveGeneration],
    outdated: Collection[str],
) -> str:
    """Return the position of a subscription, and marks for old generations."""
    read_model, _, number = standing.name.rpartition("_g")
    number, is_part, _ = number.partition("_p")
    if read_model in live and name_of(read_model, live[read_model].number) != (
        standing.name
    ):
        is_older = int(number) < live[read_model].number
        state = "kept from before the rebuild" if is_older else "not live yet"
        if is_part:
            state = "a part of what is being filled"
        return f"at {standing.checkpoint:,}, {state}"
    line = f"at {standing.checkpoint:,}"
    if standing.standstill is not None:
        return line + describe_standstill(standing, standing.standstill)
    line += f", {describe_distance(standing)}"
    return f"{line}, {advise_rebuild(read_model)}" if read_model in outdated else line
