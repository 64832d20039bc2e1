"""`recount past diff`: what changed in a read model between two moments."""

from collections.abc import Iterator
from typing import Any

import click
import msgspec
import psycopg

from cli.output import json_of
from cli.past_copies import ensure_copy, known
from eventstore.errors import UnknownReadModel
from eventstore.past.differences import MomentDifferences, compare_moments
from eventstore.projections.projection import Projection
from eventstore.projections.table_differences import RowDifference
from tasks.shop.printable import printable
from tasks.shop.wiring import shop

NOTHING = "nothing"
PAGE = 1_000


@click.command(short_help="Show what changed in a read model between two moments.")
@click.argument("read_model", metavar="READMODEL")
@click.argument("begin", metavar="FROM")
@click.argument("end", metavar="[TO]", required=False)
@click.option("--positions", "are_positions", is_flag=True, help="FROM, TO: positions.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Lines of JSON.")
def diff(
    read_model: str,
    begin: str,
    end: str | None,
    are_positions: bool,
    limit: int,
    as_json: bool,
) -> None:
    """
    Show the rows of READMODEL that came, went or changed from FROM to TO.

    A date is the end of that day; a time is like 2026-11-23T09:30. Without TO the live
    rows are compared. All columns are, also those that serve searches alone.
    """
    projection = known(read_model)
    numbers = [
        ensure_copy(projection, written, are_positions, is_quiet=True).number
        for written in ([begin] if end is None else [begin, end])
    ]
    before, after = numbers[0], numbers[1] if end is not None else None
    left = limit
    for found in pages(projection, before, after, limit):
        for row in found.rows:
            click.echo(json_of(as_plain(row)) if as_json else lines_of(row))
        left -= len(found.rows)
    counts = found.counts
    if as_json:
        return
    click.echo(
        f"{counts.came:,} came, {counts.went:,} went, {counts.changed:,} changed"
        + (f"; {limit - left:,} are shown" if counts.rows > limit - left else "")
    )


def pages(
    projection: Projection, before: int, after: int | None, limit: int
) -> Iterator[MomentDifferences]:
    """Yield the differences in the order of their keys, some at a time."""
    behind = None
    while True:
        try:
            with shop().transaction() as connection:
                found = compare_moments(
                    connection,
                    projection,
                    before,
                    after,
                    behind=behind,
                    limit=min(limit, PAGE),
                )
        except UnknownReadModel as error:
            raise click.ClickException(
                f"{projection.name} has no live rows: recount rebuild"
                f" {projection.name}."
            ) from error
        except psycopg.errors.UndefinedTable as error:
            raise click.ClickException(
                "A copy was dropped while it was read, by hand or because somebody was"
                " forgotten: ask again."
            ) from error
        yield found
        limit -= len(found.rows)
        if limit <= 0 or len(found.rows) < PAGE:
            return
        behind = found.rows[-1].key


def as_plain(row: RowDifference) -> dict[str, Any]:
    return {
        "key": row.key,
        "columns": list(row.columns),
        "before": row.before,
        "after": row.after,
    }


def lines_of(row: RowDifference) -> str:
    """Return a line for a row that came or went, else one for each column."""
    if row.before is None or row.after is None:
        return printable(f"{row.key}: {'came' if row.before is None else 'went'}")
    return "\n".join(
        printable(
            f"{row.key}: {name} was {text_of(getattr(row.before, name))},"
            f" is {text_of(getattr(row.after, name))}"
        )
        for name in row.columns
    )


def text_of(value: Any) -> str:
    if value is None:
        return NOTHING
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
