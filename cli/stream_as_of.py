"""The options `--version` and `--as-of` of the commands on a stream."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import click
import psycopg

from eventstore.aggregates.as_of import AsOf, versions_as_of
from eventstore.errors import NoSuchVersion
from eventstore.log.limits import is_storable
from tasks.shop.printable import printable
from tasks.shop.wiring import shop
from webapp.formats import moment_in

Command = Callable[..., None]


class StreamAsOf(NamedTuple):
    """A stream, the version that was asked for, and the one that it is at."""

    stream_id: str
    version: int
    head: int


def as_of_options(command: Command) -> Command:
    """Add the options `--version` and `--as-of` to *command*."""
    for option in (
        click.option("--version", type=click.IntRange(1), help="As of this version."),
        click.option("--as-of", "moment", metavar="TIME", help="As of this time."),
    ):
        command = option(command)
    return command


def as_of(version: int | None, moment: str | None) -> AsOf:
    if version is not None and moment is not None:
        raise click.UsageError("--version and --as-of cannot be combined.")
    return AsOf(version=version, at=None if moment is None else parse_moment(moment))


def parse_moment(moment: str) -> datetime:
    try:
        return moment_in(moment, shop().settings.timezone)
    except ValueError as error:
        raise click.BadParameter(
            f"{moment!r} is no time like 2026-11-23 or 2026-11-23T09:30.",
            param_hint="--as-of",
        ) from error


def find(
    connection: psycopg.Connection[Any], stream_id: str, as_of: AsOf
) -> StreamAsOf:
    """
    Return the version of a stream at that point;

    end the command if there is none.
    """
    # NUL and surrogates are errors in a query: no stream's name has them.
    if not is_storable(stream_id):
        raise no_stream(stream_id)
    head = versions_as_of(connection, [stream_id], AsOf())[stream_id]
    if not head:
        raise no_stream(stream_id, similar(connection, stream_id))
    try:
        version = versions_as_of(connection, [stream_id], as_of)[stream_id]
    except NoSuchVersion as error:
        raise click.ClickException(printable(str(error))) from error
    if as_of.at is not None and as_of.at > datetime.now(UTC):
        click.echo("note: that time is still to come; this is as of now", err=True)
    return StreamAsOf(stream_id, version, head)


def similar(connection: psycopg.Connection[Any], stream_id: str) -> list[str]:
    """
    Return the streams that are probably meant by a *stream_id* that has no events.

    That is one of another category with the same key (`10248`, `orders-10248`), or in
    another case (`Order-10248`, `customer-alfki`).
    """
    key = stream_id.rpartition("-")[2].strip()
    named = [
        f"{category}-{form}"
        for category in shop().deciders.by_category
        for form in dict.fromkeys((key, key.upper(), key.lower()))
        if key
    ]
    found = versions_as_of(connection, named, AsOf()) if named else {}
    return [name for name in named if found[name]]


def no_stream(stream_id: str, meant: Sequence[str] = ()) -> click.ClickException:
    hint = f" Did you mean {' or '.join(meant)}?" if meant else ""
    return click.ClickException(printable(f"There is no stream {stream_id}.{hint}"))
