"""`recount log show`: what happened in the shop, across all streams."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import click
import msgspec
import psycopg

from cli.output import event_as_json, json_of
from cli.stream_words import NOBODY_KNOWN
from eventstore.journal.effects import Effect, FollowUp, find_effects
from eventstore.log.causation import find_event, read_conversation
from eventstore.log.events import RecordedEvent
from eventstore.log.read import scan, scan_back
from tasks.shop.printable import printable
from tasks.shop.wiring import shop


@click.command()
@click.option("--category", help="Only of streams of this kind, like order.")
@click.option(
    "--type",
    "types",
    multiple=True,
    metavar="TYPE",
    help="Only events of this type, like OrderShipped; may be given several times.",
)
@click.option(
    "--after",
    type=click.IntRange(0),
    metavar="POSITION",
    help="The first ones behind this position; without it the last ones are shown.",
)
@click.option(
    "--event", "event_id", type=click.UUID, metavar="ID", help="The event of this id."
)
@click.option(
    "--caused-by",
    "message_id",
    type=click.UUID,
    metavar="ID",
    help="What this command or event caused, directly or by what it caused.",
)
@click.option(
    "--correlation",
    "correlation_id",
    type=click.UUID,
    metavar="ID",
    help="The whole conversation of this id.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=50,
    show_default=True,
    help="How many events are shown at most.",
)
@click.option(
    "--json", "is_json", is_flag=True, help="A JSON object a line, for programs."
)
def show(
    category: str | None,
    types: tuple[str, ...],
    after: int | None,
    event_id: UUID | None,
    message_id: UUID | None,
    correlation_id: UUID | None,
    limit: int,
    is_json: bool,
) -> None:
    """
    Show events of the log, the newest last.

    Only what is settled is shown: what is being written at this moment is not.
    """
    is_part = category is not None or bool(types) or after is not None
    ids = [event_id, message_id, correlation_id]
    if 3 - ids.count(None) + is_part > 1:
        raise click.UsageError(
            "--event, --caused-by and --correlation go neither together nor with"
            " --category, --type or --after."
        )
    with shop().lent() as connection:
        if event_id is not None:
            event = find_event(connection, event_id)
            effects: Iterable[Effect] = [] if event is None else [Effect(event, 0)]
        elif message_id is not None:
            effects = find_effects(connection, message_id, limit=limit + 1)
        elif correlation_id is not None:
            conversation = read_conversation(
                connection, correlation_id, limit=limit + 1
            )
            effects = (Effect(event, 0) for event in conversation)
        else:
            part = read_part(connection, category, types or None, after, limit)
            effects = (Effect(event, 0) for event in part)
        print_events(effects, limit, is_json=is_json)


def read_part(
    connection: psycopg.Connection[Any],
    category: str | None,
    types: tuple[str, ...] | None,
    after: int | None,
    limit: int,
) -> Iterator[RecordedEvent]:
    """Yield one event more than *limit*, where there are more; the newest last."""
    if after is not None:
        found = scan(connection, after=after, types=types, category=category)
        yield from islice(found, limit + 1)
    else:
        found = scan_back(connection, types=types, category=category)
        yield from reversed(list(islice(found, limit)))


def print_events(effects: Iterable[Effect], limit: int, *, is_json: bool) -> None:
    """
    Print the effects one by one, and on standard error whether there are more.

    As JSON there are only the events.
    """
    told = 0
    for effect in effects:
        if told == limit:
            click.echo("there are more: --limit shows them", err=True)
            break
        told += 1
        if not is_json:
            click.echo(line_of(effect, shop().settings.timezone))
        elif isinstance(effect.message, RecordedEvent):
            click.echo(json_of(event_as_json(effect.message)))
    if not told and not is_json:
        click.echo("there is no such event")


def line_of(effect: Effect, zone: ZoneInfo) -> str:
    """
    Return position, stream, version and type of an event, when, and who.

    Of a command it is the type and id, its stream and its status.
    """
    event, depth = effect
    if isinstance(event, FollowUp):
        return printable(
            f"{'':>9} {'  ' * depth}{event.type} {event.id}"
            f" to {event.stream_id}: {event.status}"
        )
    told = msgspec.json.decode(event.metadata)
    when = event.occurred_at.astimezone(zone).isoformat(" ", "milliseconds")
    return printable(
        f"{event.position:>9} {'  ' * depth}{event.stream_id} {event.version}"
        f"  {event.type}  {when}  by {told.get('actor') or NOBODY_KNOWN}"
    )
