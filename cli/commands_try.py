"""`recount commands try`: what the commands of a file would cause; nothing is sent."""

import sys
from collections.abc import Iterator
from typing import Any, BinaryIO

import click

from domain.errors import InvalidInput
from eventstore.projections.table_differences import difference_of
from readmodels.rows_in_words import Words
from tasks.shop.printable import printable
from tasks.shop.startup_checks import refuse_another_currency
from tasks.shop.wiring import shop
from webapp.command_input import command_from, confirmed_in, envelope
from webapp.current_shop import LOCAL
from webapp.json_body import parse
from webapp.problems import Problem
from webapp.trying.asking import CannotTell, TrialResult, try_command


@click.command("try")
@click.argument("file", type=click.File("rb"))
def try_commands(file: BinaryIO) -> None:
    """
    Tell what the commands of a file would cause, and send none of them.

    A line is {"type": …, "data": {…}}, as for `submit`; `-` reads the input. Each is
    tried by itself, on what there is now: none sees those before it. Ends with 1 if one
    would not succeed.
    """
    refuse_another_currency(shop())
    is_fine = True
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            tried = try_line(line)
        except (InvalidInput, Problem, CannotTell) as error:
            is_fine = False
            click.echo(f"line {number:,}: {printable(str(error))}")
            continue
        is_fine &= tried.preview.outcome.status == "succeeded"
        for told in lines_of(tried):
            click.echo(printable(told))
    if not is_fine:
        sys.exit(1)


def try_line(line: bytes) -> TrialResult:
    """Return what a line's command would cause. Raises what is wrong with it."""
    body: Any = parse(line)
    name, data, version = envelope(shop(), body)
    command = command_from(shop(), name, data, confirmed=confirmed_in(body))
    return try_command(shop(), command, principal=LOCAL, expected_version=version)


def lines_of(tried: TrialResult) -> Iterator[str]:
    """Yield what a command would cause: its end, events, its row, and what follows."""
    preview, row = tried.preview, tried.row
    category = preview.stream_id.partition("-")[0]
    where = f"a new {category}" if preview.gets_number else preview.stream_id
    error = preview.outcome.error or {}
    why = f": {error['message']}" if error else ""
    yield f"{where}: {preview.outcome.status}{why}"
    for event in preview.events:
        yield f"  {event.recorded.type}, version {event.recorded.version:,}"
    difference = row and difference_of(row.key, row.before, row.after)
    if difference and difference.before is not None:
        words = Words(tried.projection.key, shop().settings.currency)
        told = [
            name
            for name in difference.columns
            if name in tried.columns
            and not isinstance(getattr(difference.after, name), tuple)
        ]
        yield f"  {words.sentence(difference._replace(columns=told))}"
    for sent in tried.follows:
        when = f" on {sent.not_before:%Y-%m-%d}" if sent.not_before else ""
        yield f"  then {type(sent.command).__name__}{when}"
    if preview.waiting:
        yield f"  {preview.waiting:,} commands wait before it"
