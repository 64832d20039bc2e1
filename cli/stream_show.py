"""`recount stream show`: the events of a stream, and its state."""

import sys
from collections.abc import Iterator
from typing import Any

import click
import psycopg

from cli.output import error_as_json, event_as_json, json_of
from cli.stream_as_of import StreamAsOf, as_of, as_of_options, find
from cli.stream_words import Words, align
from eventstore.aggregates.as_of import AsOf, load_as_of
from eventstore.aggregates.decider import category_of
from eventstore.errors import EventStoreError
from eventstore.log.events import RecordedEvent
from eventstore.log.read import read_stream
from eventstore.personal.keyring import Keyring
from tasks.shop.printable import printable
from tasks.shop.wiring import Shop, shop
from webapp.notation import plain_notation


class NoState(Exception):
    """Streams of a category without a decider, which have no state."""


@click.command(short_help="Show the events of a stream, and its state.")
@click.argument("stream_id", metavar="STREAM")
@as_of_options
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="How many events are shown, the last ones.",
)
@click.option("--json", "is_json", is_flag=True, help="One JSON object, for programs.")
def show(
    stream_id: str, version: int | None, moment: str | None, limit: int, is_json: bool
) -> None:
    """
    Show the events of a stream, the newest last, and the state that they made.

    STREAM is like order-10248. TIME is like 2026-11-23, which is the end of that day,
    or 2026-11-23T09:30, both where the shop is; or with a zone of its own, like
    2026-11-23T09:30+01:00.
    """
    asked = as_of(version, moment)
    with shop().lent() as connection:
        found = find(connection, stream_id, asked)
        first = max(found.version - limit, 0)
        events = decrypt_events_behind(connection, found, first)
        state, error = state_of(shop(), connection, found)
    if is_json:
        click.echo(as_json(found, events, state, error))
    else:
        print_lines(found, events, first, state)
    if error is not None:
        reason = f"{stream_id} has no state: {words_of(error)}"
        click.echo(printable(f"Error: {reason}"), err=True)
        sys.exit(1)


def decrypt_events_behind(
    connection: psycopg.Connection[Any], found: StreamAsOf, first: int
) -> list[RecordedEvent]:
    """Return the events behind version *first* with what is personal in them."""
    keyring = Keyring(connection, shop().deciders.masters)
    events = read_stream(connection, found.stream_id, after=first, up_to=found.version)
    try:
        return list(keyring.decrypt_events(events))
    except EventStoreError as error:
        raise click.ClickException(printable(str(error))) from error


def state_of(
    shop: Shop, connection: psycopg.Connection[Any], found: StreamAsOf
) -> tuple[Any, Exception | None]:
    """Return the state, or the error with which evolve failed."""
    stream_id = found.stream_id
    if category_of(stream_id) not in shop.deciders.by_category:
        return None, NoState("nothing decides on such streams")
    as_of = AsOf(version=found.version)
    try:
        streams = load_as_of(connection, [stream_id], shop.deciders, as_of)
    except psycopg.Error:
        raise
    except Exception as error:
        return None, error
    return streams.states[stream_id], None


def words_of(error: Exception) -> str:
    if isinstance(error, EventStoreError | NoState):
        return str(error)
    return (
        f"{type(error).__name__}: {error}; recount stream replay shows at which event"
    )


def as_json(
    found: StreamAsOf, events: list[RecordedEvent], state: Any, error: Exception | None
) -> str:
    return json_of(
        {
            "stream_id": found.stream_id,
            "version": found.version,
            "head": found.head,
            "events": [event_as_json(event) for event in events],
            "state": state,
            "error": error_as_json(error),
        }
    )


def number_events(
    events: list[RecordedEvent], first: int
) -> Iterator[tuple[int, RecordedEvent]]:
    """Yield events, each with the version that should follow the one before it."""
    for event in events:
        yield first + 1, event
        first = event.version


def print_lines(
    found: StreamAsOf, events: list[RecordedEvent], first: int, state: Any
) -> None:
    words = Words(notation=plain_notation(shop().settings))
    zone = words.notation.timezone.key
    click.echo(
        printable(f"{found.stream_id} at version {found.version} of {found.head}")
        + f"; times are those of {zone}"
    )
    if first:
        click.echo(f"the first {first} events are left out: --limit shows more")
    for version, event in number_events(events, first):
        if event.version != version:
            click.echo(f"  versions {version} to {event.version - 1} are missing here")
        lines = words.lines_of_event(event, facts_of(event), state)
        click.echo("\n".join([*words.head_of(event), *lines]))
    if state is not None:
        click.echo("state")
        click.echo("\n".join(align(words.of_currency(state).lines_of(state))))


def facts_of(event: RecordedEvent) -> list[Any]:
    """Return the decoded event, or None if it cannot be read."""
    try:
        return list(shop().deciders.of_stream(event.stream_id).events.read(event))
    except (EventStoreError, KeyError):
        return []
