"""`recount stream`: what happened in a stream, and what state that made."""

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec
import psycopg

from eventstore.as_of import AsOf, load_as_of, versions_as_of
from eventstore.decider import category_of
from eventstore.errors import EventStoreError, NoSuchVersion
from eventstore.log.events import RecordedEvent
from eventstore.log.read import read_stream
from eventstore.personal.keyring import Keyring
from tasks.bootstrap import Shop, shop
from webapp.moments import moment_in


@click.command()
@click.argument("stream_id")
@click.option("--version", type=click.IntRange(1), help="As it was at this version.")
@click.option("--at", "moment", metavar="TIME", help="As it was then.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="How many events are shown, the last ones.",
)
def stream(stream_id: str, version: int | None, moment: str | None, limit: int) -> None:
    """
    Show the events of a stream, the newest last, and the state that they made.

    STREAM_ID is like order-10248. TIME is like 2026-11-23, which is the end of that
    day, or 2026-11-23T09:30, both where the shop is; or with a zone of its own, like
    2026-11-23T09:30+01:00.
    """
    if version is not None and moment is not None:
        raise click.UsageError("--version and --at do not go together.")
    as_of = AsOf(version=version, at=None if moment is None else parsed(moment))
    with shop().lent() as connection:
        show(shop(), connection, stream_id, as_of, limit)


def parsed(moment: str) -> datetime:
    try:
        return moment_in(moment, shop().settings.timezone)
    except ValueError as error:
        raise click.BadParameter(
            f"{moment!r} is no time like 2026-11-23 or 2026-11-23T09:30.",
            param_hint="--at",
        ) from error


def show(
    shop: Shop,
    connection: psycopg.Connection[Any],
    stream_id: str,
    as_of: AsOf,
    limit: int,
) -> None:
    head = versions_as_of(connection, [stream_id], AsOf())[stream_id]
    if not head:
        raise click.ClickException(f"There is no stream {stream_id}.")
    try:
        version = versions_as_of(connection, [stream_id], as_of)[stream_id]
    except NoSuchVersion as error:
        raise click.ClickException(str(error)) from error
    first = max(version - limit, 0)
    click.echo(f"{stream_id} at version {version} of {head}")
    if first:
        click.echo(f"the first {first} events are left out: --limit shows more")
    keyring = Keyring(connection, shop.deciders.masters)
    events = read_stream(connection, stream_id, after=first, up_to=version)
    for event in keyring.open_events(events):
        click.echo(line_of(event, shop.settings.timezone))
        click.echo(f"      {printable(event.data)}")
    click.echo(f"state {state_of(shop, connection, stream_id, version)}")


def line_of(event: RecordedEvent, zone: ZoneInfo) -> str:
    """Return version, position and type of an event, when, who, and because of what."""
    told = msgspec.json.decode(event.metadata)
    when = event.occurred_at.astimezone(zone).isoformat(" ", "milliseconds")
    cause = f"command {told['command_id']}" if told.get("command_id") else "no command"
    if told.get("source"):
        cause += f", imported from {told['source']}"
    return printable(
        f"{event.version:5} at {event.position}  {event.type}  {when}"
        f"  by {told.get('actor')}  {cause}"
    )


def state_of(
    shop: Shop, connection: psycopg.Connection[Any], stream_id: str, version: int
) -> str:
    """Return the state as JSON; a stream that cannot be read has none to show."""
    if category_of(stream_id) not in shop.deciders.by_category:
        raise click.ClickException(f"Nothing decides on {stream_id}: it has no state.")
    as_of = AsOf(version=version)
    try:
        streams = load_as_of(connection, [stream_id], shop.deciders, as_of)
    except EventStoreError as error:
        raise click.ClickException(f"{stream_id} has no state: {error}") from error
    return printable(msgspec.json.encode(streams.states[stream_id]).decode())


def printable(text: str) -> str:
    """Return *text* without what a terminal takes for an order; JSON stays JSON."""
    return re.sub(
        "[\x00-\x1f\x7f-\x9f\u2028\u2029]",
        lambda found: f"\\u{ord(found[0]):04x}",
        text,
    )
