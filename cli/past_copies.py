"""`recount past list`, `make` and `drop`: the copies of read models as of moments."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import click
import psycopg

from cli.output import json_of, progress
from cli.stream_as_of import parse_moment
from eventstore.errors import EventStoreError
from eventstore.past.dropping import drop_copies
from eventstore.past.filler import Filler
from eventstore.past.moments import Moment, resolve_moment
from eventstore.past.registry import PastCopy, find_copies, find_right
from eventstore.past.wishes import find_wish, note_waiting, want_copy
from eventstore.projections.projection import Projection
from tasks.past.process import connect_filler, filler_of
from tasks.shop.wiring import shop

OPERATOR = "an operator"
SECONDS_BETWEEN_LOOKS = 0.2


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="Lines of JSON.")
def list_copies(as_json: bool) -> None:
    """List the copies, the one used last first: moment, rows, size, and progress."""
    with shop().lent() as connection:
        found = find_copies(connection)
    for copy in found:
        click.echo(json_of(as_plain(copy)) if as_json else line_of(copy))
    if not found and not as_json:
        click.echo("there are no copies of the past")


def as_plain(copy: PastCopy) -> dict[str, Any]:
    left_out = ("shape", "fold_version", "until", "has_ended", "next_at", "seconds")
    plain = {k: v for k, v in copy._asdict().items() if k not in left_out}
    return {**plain, "seconds_left": copy.seconds_left}


def line_of(copy: PastCopy) -> str:
    parts = [f"{copy.number} {copy.read_model} {describe_moment(copy.at, copy.up_to)}"]
    if copy.state == "ready":
        parts.append(f"{copy.rows or 0:,} rows, {(copy.bytes or 0) / 1e6:,.1f} MB")
        if copy.left_out:
            parts.append(f"{copy.left_out:,} streams left out")
        parts.append(f"used {describe_time(copy.used_at)}")
    elif copy.state == "filling":
        parts.append(f"{copy.done:,} of {copy.goal:,} events read")
        if copy.seconds_left is not None:
            parts.append(f"about {copy.seconds_left:,.0f} s left")
    elif copy.state == "wanted":
        parts.append("wanted, and not begun: does a relay run?")
    elif copy.state == "failed":
        parts.append(f"could not be made: {copy.error}")
    else:
        parts.append("dropped; its tables are in use and go soon")
    return "; ".join(parts)


def describe_moment(at: datetime | None, position: int) -> str:
    if at is None:
        return f"as of position {position:,}"
    return f"as of {describe_time(at)}"


def describe_time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


@click.command(short_help="Make the copies of a moment before somebody asks.")
@click.argument("moment")
@click.argument("read_models", nargs=-1, metavar="[READMODEL…]")
@click.option("--position", "is_position", is_flag=True, help="MOMENT is a position.")
@click.option("--json", "as_json", is_flag=True, help="Lines of JSON.")
def make(
    moment: str, read_models: tuple[str, ...], is_position: bool, as_json: bool
) -> None:
    """
    Make the copies of MOMENT, a date (its end) or a time like 2026-11-23T09:30.

    Without names, of all read models. What is there already is not made again.
    """
    chosen = [known(name) for name in read_models] or shop().projections
    for projection in chosen:
        copy = ensure_copy(projection, moment, is_position, is_quiet=as_json)
        click.echo(json_of(as_plain(copy)) if as_json else line_of(copy))


def ensure_copy(
    projection: Projection, written: str, is_position: bool, *, is_quiet: bool
) -> PastCopy:
    """Return a copy, which is made if it is not there. Ends the command if not."""
    with closing(connect_filler(shop().settings)) as connection:
        try:
            moment = parse(connection, written, is_position)
            found = find_right(connection, projection, moment)
            if found is None:
                want_copy(connection, projection, moment, OPERATOR)
                fill(connection, projection, moment, is_quiet)
                found = find_right(connection, projection, moment)
        except EventStoreError as error:
            raise click.ClickException(f"{error}") from error
        if found is None:
            wish = find_wish(connection, projection, moment)
            why = "it was dropped meanwhile" if wish is None else wish.error
            raise click.ClickException(f"{projection.name} was not made: {why}.")
        return found


def parse(
    connection: psycopg.Connection[Any], written: str, is_position: bool
) -> Moment:
    if not is_position:
        return resolve_moment(connection, at=parse_moment(written))
    if not written.isascii() or not written.isdigit():
        raise click.BadParameter(f"{written!r} is no position.")
    return resolve_moment(connection, position=int(written))


def fill(
    connection: psycopg.Connection[Any],
    projection: Projection,
    moment: Moment,
    is_quiet: bool,
) -> None:
    """Fill the copy that is wanted, or wait until the relay's child has filled it."""
    filler = filler_of(shop(), connection)
    wish = find_wish(connection, projection, moment)
    if wish is None:
        return
    if is_quiet:
        fill_or_wait(connection, filler, wish, lambda *_: None)
        return
    with progress(projection.name, moment.up_to) as advance:
        shown = 0

        def show(done: int, goal: int) -> None:
            nonlocal shown
            # A day of years ago ends long before the log does.
            place = moment.up_to * done // goal if goal else 0
            advance(max(place - shown, 0))
            shown = max(shown, place)

        fill_or_wait(connection, filler, wish, show)
        show(1, 1)


def fill_or_wait(
    connection: psycopg.Connection[Any],
    filler: Filler,
    wish: PastCopy,
    show: Callable[[int, int], None],
) -> None:
    while True:
        if filler.take_turn():
            try:
                filler.fill_next(lambda _, at: show(*at), number=wish.number)
            finally:
                filler.end_turn()
            return
        found = find_copies(connection, numbers=[wish.number])
        if not found or found[0].state not in ("wanted", "filling"):
            return
        show(found[0].done, found[0].goal)
        note_waiting(connection, wish)
        time.sleep(SECONDS_BETWEEN_LOOKS)


@click.command(short_help="Drop copies: they are made again if somebody asks.")
@click.argument("numbers", nargs=-1, type=click.IntRange(1), metavar="[NUMBER…]")
@click.option("--all", "is_all", is_flag=True, help="All of them.")
def drop(numbers: tuple[int, ...], is_all: bool) -> None:
    """Drop the copies with these numbers, as `recount past list` shows them."""
    if bool(numbers) == is_all:
        raise click.UsageError("Name the numbers of copies, or give --all.")
    with shop().lent() as connection:
        refuse_unknown(connection, numbers)
        count = drop_copies(connection, None if is_all else numbers)
    click.echo("1 copy is dropped" if count == 1 else f"{count:,} copies are dropped")


def refuse_unknown(connection: psycopg.Connection[Any], numbers: Sequence[int]) -> None:
    there = {copy.number for copy in find_copies(connection)}
    for number in numbers:
        if number not in there:
            raise click.ClickException(f"There is no copy {number}: recount past list.")


def known(name: str) -> Projection:
    """Return the read model called *name*, or end the command."""
    projections = {projection.name: projection for projection in shop().projections}
    if name not in projections:
        raise click.UsageError(
            f"There is no read model {name}. The read models are:"
            f" {', '.join(projections)}."
        )
    return projections[name]
