"""`recount webhooks list` and `show`: how far each is, and why one stopped."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import click

from cli.output import json_of
from eventstore.log.events import RecordedEvent
from tasks.shop.printable import printable
from tasks.shop.wiring import shop
from tasks.webhooks.progress import StreamProgress
from tasks.webhooks.registry import Webhook, find_webhooks
from tasks.webhooks.selection import find_at
from tasks.webhooks.standing import MAX_COUNTED, Standing, find_standings
from tasks.webhooks.turn import is_taken

NOBODY = (
    "nobody sends to webhooks: no relay runs, or its sender does not come up; look into"
    " the relay's log"
)


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON lines, for programs.")
def list_webhooks(as_json: bool) -> None:
    """List the webhooks: state, position, lag and last answer; never a secret."""
    with shop().lent() as connection:
        webhooks = {one.name: one for one in find_webhooks(connection)}
        standings = find_standings(connection)
        sends = is_taken(connection)
    if as_json:
        for standing in standings:
            click.echo(json_of(as_plain(webhooks[standing.name], standing)))
        return
    for standing in standings:
        click.echo(line_of(standing, webhooks[standing.name].url))
    if not standings:
        click.echo("no webhooks")
    elif not sends and any(one.state == "active" for one in standings):
        click.echo(NOBODY)


@click.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
def show_webhook(name: str, as_json: bool) -> None:
    """Show the webhook NAME: position, lag, last answer, and what fails."""
    with shop().lent() as connection:
        webhooks = {one.name: one for one in find_webhooks(connection)}
        if name not in webhooks:
            raise click.ClickException(f"there is no webhook {name}")
        (standing,) = find_standings(connection, name)
        events = [find_at(connection, one.position) for one in standing.streams]
        sends = is_taken(connection)
    if as_json:
        click.echo(json_of(as_plain(webhooks[name], standing)))
        return
    for line in lines_of(webhooks[name], standing, events):
        click.echo(line)
    if standing.state == "active" and not sends:
        click.echo(NOBODY)


def as_plain(webhook: Webhook, standing: Standing) -> dict[str, Any]:
    return {**webhook._asdict(), **standing._asdict()}


def line_of(standing: Standing, url: str) -> str:
    """Return the line of a webhook in a list."""
    parts = [describe_state(standing), f"at {standing.position:,}", lag_of(standing)]
    if standing.last_answer is not None:
        parts.append(f"last answer {standing.last_answer}")
    if standing.failing:
        parts.append(f"{len(standing.failing)} streams tried again")
    return f"{standing.name}  {printable(url)}  {', '.join(parts)}"


def describe_state(standing: Standing) -> str:
    """Return the state, and since when it is not active, and why."""
    if standing.state == "active":
        return "active"
    since = f"{standing.state} since {time_of(standing.state_since)}"
    if standing.stopped_because is None:
        return since
    return f"{since.upper()} ({printable(standing.stopped_because)})"


def lag_of(standing: Standing) -> str:
    more = "or more " if standing.behind == MAX_COUNTED else ""
    return f"{standing.behind:,} {more}behind, {standing.seconds:,.0f} s"


def lines_of(
    webhook: Webhook, standing: Standing, events: list[RecordedEvent | None]
) -> Iterator[str]:
    """Yield what is known of a webhook; *events* are those of its open streams."""
    yield f"{webhook.name}  {printable(webhook.url)}"
    yield f"  state: {describe_state(standing)}"
    types = "all" if webhook.types is None else ", ".join(webhook.types)
    yield f"  types: {types}; category: {webhook.category or 'all'}"
    yield f"  personal fields: {'shown' if webhook.is_personal else 'masked'}"
    yield f"  added: {time_of(webhook.created_at)}"
    yield f"  position: {standing.position:,}, {lag_of(standing)}"
    if standing.answered_at is not None:
        at = time_of(standing.answered_at)
        yield f"  last answer: {standing.last_answer}, {at}"
    for outcome, count in sorted(standing.outcomes.items()):
        yield f"  {outcome}: {count:,}"
    for stream, event in zip(standing.streams, events, strict=True):
        yield f"  {describe_stream(stream, event)}"
    if standing.state == "stopped":
        yield (
            f"  when it is mended: recount webhooks resume {webhook.name};"
            " --skip STREAM passes over the event of a stream that failed"
        )


def describe_stream(stream: StreamProgress, event: RecordedEvent | None) -> str:
    kind = "" if event is None else f" ({event.type})"
    line = f"{stream.stream}: event {stream.position:,}{kind}"
    if not stream.error or stream.since is None:
        return f"{line} is sent"
    return (
        f"{line} failed {stream.tries} times since {time_of(stream.since)}:"
        f" {printable(stream.error)}"
    )


def time_of(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
