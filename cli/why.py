"""`recount why`: which events made a value of a read model what it is."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click

from cli.bars import bars
from cli.output import json_of
from cli.parked import known
from cli.stream_as_of import parse_moment
from eventstore.errors import (
    NotSettled,
    ReadModelBehind,
    ReadModelOutdated,
    TooIntertwined,
    UnknownColumn,
)
from eventstore.explaining.explanation import ColumnChange, Explanation
from eventstore.explaining.why import MAX_EVENTS, Question, explain
from eventstore.projections.projection import Key, Projection
from eventstore.projections.tables import tables_of
from tasks.shop.printable import printable
from tasks.shop.wiring import shop
from webapp.json_values import as_json
from webapp.notation import plain_notation
from webapp.why.answer_words import AnswerWords


@click.command(short_help="Show which events made a value of a row what it is.")
@click.argument("read_model", metavar="READMODEL")
@click.argument("key", metavar="KEY")
@click.argument("column", metavar="COLUMN")
@click.option("--as-of", "moment", metavar="TIME", help="As of this time.")
@click.option("--as-of-position", "position", type=click.IntRange(0), help="Or of it.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="How many changes are shown, the newest ones.",
)
@click.option(
    "--most",
    type=click.IntRange(1),
    default=MAX_EVENTS,
    show_default=True,
    help="How many events are folded for it.",
)
@click.option("--json", "is_json", is_flag=True, help="One JSON object, for programs.")
def why(
    read_model: str,
    key: str,
    column: str,
    moment: str | None,
    position: int | None,
    limit: int,
    most: int,
    is_json: bool,
) -> None:
    """
    Show which events made COLUMN of the row KEY what it is, the newest first.

    READMODEL is like order_list, KEY like 10248; `recount readmodels list` has the
    names. Of ordered_products and figures all orders are folded, from the first one
    on: that takes a second for some ten thousand. Ends with 1 if there is no such row,
    or if the read model shows something else than the events make.
    """
    projection = known(read_model)
    if moment is not None and position is not None:
        raise click.UsageError("--as-of and --as-of-position cannot be combined.")
    question = Question(
        key=key_in(projection, key),
        column=column,
        position=position,
        at=None if moment is None else past(parse_moment(moment)),
    )
    try:
        with shop().lent() as connection, bars(is_quiet=is_json) as show:
            found = explain(
                connection,
                projection,
                question,
                masters=shop().deciders.masters,
                limit=limit,
                most=most,
                told=partial(show, read_model),
            )
    except UnknownColumn as error:
        raise click.UsageError(printable(str(error))) from error
    except (NotSettled, ReadModelBehind, ReadModelOutdated) as error:
        raise click.ClickException(str(error)) from error
    except TooIntertwined as error:
        raise click.ClickException(
            f"{read_model} {printable(key)} is made of more than {most:,} events: allow"
            " more with --most."
        ) from error
    if is_json:
        click.echo(json_of(as_object(found)))
    else:
        for line in lines_of(found):
            click.echo(line)
    if found.is_there is False or found.is_wrong:
        sys.exit(1)


def key_in(projection: Projection, written: str) -> Key:
    """Return the key that is meant. Raises the error that it can be none."""
    keys = tables_of(projection, 1).rows.keys_from([written])
    if not keys:
        raise click.UsageError(f"The keys of {projection.name} are whole numbers.")
    return keys[0]


def past(moment: datetime) -> datetime:
    """Return *moment*, but for one to come now, as its own line says."""
    now = datetime.now(UTC)
    if moment <= now:
        return moment
    click.echo("note: that time is still to come; this is as of now", err=True)
    return now


def as_object(found: Explanation) -> dict[str, Any]:
    return {
        "read_model": found.read_model,
        "key": found.key,
        "column": found.column,
        "value": as_json(found.value),
        "is_there": found.is_there,
        "changes": [as_json(change) for change in found.changes],
        "earlier": found.earlier,
        "events": found.events,
        "is_whole": found.is_whole,
        "is_wrong": found.is_wrong,
        "shown": as_json(found.shown),
        "parked": [one.stream_id for one in found.parked],
        "failed": list(found.failed),
        "position": found.position,
        "as_of": as_json(found.at),
    }


def lines_of(found: Explanation) -> Iterator[str]:
    """Yield the answer in lines, fit for a terminal."""
    notation = plain_notation(shop().settings)
    with shop().lent() as connection:
        words = AnswerWords(connection, found, notation)
    what = printable(f"{found.read_model} {found.key}")
    if found.row is None and not found.changes and found.is_whole:
        yield f"there is no {what}"
        return
    value = printable(words.value)
    zone = notation.timezone.key
    yield f"{what}: {found.column} is {value}; times are those of {zone}"
    if found.is_wrong:
        shown = printable(words.shown)
        yield f"  THE READ MODEL SHOWS {shown}: recount rebuild --key mends it"
    if not found.is_whole:
        yield (
            f"  only the first {found.events:,} events were folded: later ones may have"
            " changed it; --most allows more"
        )
    for one in found.parked:
        yield f"  {one.stream_id} is parked from position {one.position:,} on"
    for stream_id in found.failed:
        yield printable(f"  {stream_id} cannot be folded to the end")
    for change in found.changes:
        yield from lines_of_change(change, words)
    if found.earlier:
        yield f"  {found.earlier:,} earlier changes are left out: --limit shows more"


def lines_of_change(change: ColumnChange, words: AnswerWords) -> Iterator[str]:
    after = "removed" if change.removes_row else words.after(change)
    before = f", before: {words.before(change)}"
    if change.makes_row:
        before = ", from the beginning"
    if words.is_unreadable(change):
        after = after if change.forgets else "no longer readable"
        before = ", as the person was forgotten" if change.forgets else ""
    when = words.words_of(change).word("", change.occurred_at)
    yield printable(f"  {when}  {after}{before}")
    because = f"command {change.command_id}" if change.command_id else "no command"
    if change.command_type:
        because = f"{change.command_type} {change.command_id}"
    if change.source:
        because = f"imported from {change.source}"
    by = change.actor or "nobody known"
    yield printable(
        f"       {change.type}, version {change.version} of {change.stream_id}, at"
        f" position {change.position}, by {by}, {because}"
    )
