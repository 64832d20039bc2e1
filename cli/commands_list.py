"""`recount commands list`: the commands of the journal, filtered by status."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import click

from cli.output import DURATION, json_of
from eventstore.journal.entries import Entry
from eventstore.journal.listing import DISPLAY_STATUSES, CommandFilter, find_entries
from tasks.shop.printable import printable
from tasks.shop.wiring import shop

A_PAGE = 200
MAX_ROWS = 1_000_000_000


def some_name(_context: Any, _parameter: Any, name: str | None) -> str | None:
    # The shell hands over bytes that are no text as half characters.
    if name is not None and not name.isprintable():
        raise click.BadParameter("it has other than printable characters")
    return name


@click.command("list")
@click.option(
    "--status", type=click.Choice(DISPLAY_STATUSES), help="Only with this status."
)
@click.option(
    "--scheduled", is_flag=True, help="Those whose time has not come, the next first."
)
@click.option(
    "--type",
    "type_",
    callback=some_name,
    metavar="TYPE",
    help="Only this type, PlaceOrder.",
)
@click.option(
    "--stream",
    "stream_id",
    callback=some_name,
    metavar="STREAM",
    help="Only for this stream.",
)
@click.option(
    "--older-than", type=DURATION, metavar="AGE", help="Accepted longer ago: 90d, 2h."
)
@click.option(
    "--newer-than", type=DURATION, metavar="AGE", help="Accepted since then: 90d, 2h."
)
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_ROWS),
    default=50,
    show_default=True,
    help="At most.",
)
@click.option("--json", "is_json", is_flag=True, help="An object a line, for programs.")
def list_commands(
    status: str | None,
    scheduled: bool,
    type_: str | None,
    stream_id: str | None,
    older_than: timedelta | None,
    newer_than: timedelta | None,
    limit: int,
    is_json: bool,
) -> None:
    """List commands, the newest first."""
    if scheduled and status not in (None, "scheduled"):
        raise click.UsageError(f"--scheduled goes not with --status {status}.")
    now = datetime.now(UTC)
    wanted = CommandFilter(
        status="scheduled" if scheduled else status,
        type=type_,
        stream_id=stream_id,
        accepted_before=now - older_than if older_than else None,
        accepted_after=now - newer_than if newer_than else None,
    )
    found = list(islice(entries_of(wanted), limit + 1))
    for entry in found[:limit]:
        click.echo(json_of(entry_as_json(entry)) if is_json else line_of(entry))
    if len(found) > limit:
        click.echo("there are more: --limit shows them", err=True)
    if not found and not is_json:
        click.echo(none_of(wanted))


def none_of(wanted: CommandFilter) -> str:
    if wanted == CommandFilter():
        return "there are no commands"
    return "there are no commands that match what was asked for"


def entries_of(wanted: CommandFilter) -> Iterator[Entry]:
    """Yield matching entries, page by page: no statement scans the whole journal."""
    after = None
    while True:
        with shop().engine.connect() as connection:
            entries, after = find_entries(connection, wanted, after=after, limit=A_PAGE)
        yield from entries
        if after is None:
            return


def line_of(entry: Entry) -> str:
    """Return the line of a command in the list."""
    zone = shop().settings.timezone
    accepted = entry.accepted_at.astimezone(zone).isoformat(" ", "seconds")
    status = f"{entry.display_status:9}"
    line = f"{entry.id}  {status}  {accepted}  {entry.type} {entry.stream_id}"
    if entry.is_scheduled and entry.not_before is not None:
        due = entry.not_before.astimezone(zone).isoformat(" ", "seconds")
        line += f"  not before {due}"
    if entry.attempts > 1 or entry.conflicts:
        line += f"  {entry.attempts} attempts, {entry.conflicts} conflicts"
    if entry.error is not None:
        line += f"  {describe_error(entry.error)}"
    return printable(line)


def describe_error(error: dict[str, Any]) -> str:
    """Return an error or a rule with its message, on a line."""
    name = error.get("rule") or error.get("error") or ""
    return f"{name}: {error.get('message', '')}"


def entry_as_json(entry: Entry) -> dict[str, Any]:
    """Return an entry without its data, which may be personal."""
    return {
        "id": str(entry.id),
        "status": entry.display_status,
        "type": entry.type,
        "stream_id": entry.stream_id,
        "principal": entry.principal,
        "accepted_at": entry.accepted_at,
        "not_before": entry.not_before,
        "finished_at": entry.finished_at,
        "attempts": entry.attempts,
        "conflicts": entry.conflicts,
        "ran_by": entry.ran_by,
        "position": entry.position,
        "error": entry.error,
    }
