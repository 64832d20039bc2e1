"""`recount verify`: checks the log against its seals, the journal and the snapshots."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any

import click
import msgspec
import psycopg

from cli.output import progress
from eventstore.errors import UnreadableExport
from eventstore.seals.export import ExportedSeal, read_export
from eventstore.verifying.checks import UnsealedTail, all_checks, count_unsealed
from eventstore.verifying.finding import Advance, Check, Finding
from eventstore.verifying.seals import SealedExtent
from tasks.shop.printable import printable
from tasks.shop.wiring import shop

Show = Callable[[str, int], AbstractContextManager[Advance]]


@click.command(short_help="Check the log, the journal and the snapshots.")
@click.option(
    "--against",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Exported seals: a file, or a folder of them. May be given several times.",
)
@click.option("--all", "is_all", is_flag=True, help="Every snapshot, not 100 of them.")
@click.option(
    "--most",
    type=click.IntRange(1),
    default=100,
    show_default=True,
    help="How many findings of a check are named until it ends.",
)
@click.option("--json", "as_json", is_flag=True, help="Lines of JSON.")
def verify(against: tuple[Path, ...], is_all: bool, most: int, as_json: bool) -> None:
    """
    Check the log against its seals, the journal and the snapshots.

    Names each event that was changed, is missing or was put in, the first one first;
    holes in the versions of streams; where journal and log disagree; and snapshots that
    are not what a replay gives. The shop may be running. Ends with 1 if it found
    anything, and says up to which position the seals vouch for the log.
    """
    vouching = SealedExtent()
    checks = all_checks(
        shop().deciders,
        vouching,
        exported=read_all_exports(against),
        is_all=is_all,
        is_journaled=True,
    )
    found = 0
    with shop().lent() as connection:
        for check in checks:
            findings = run(connection, check, most, silent if as_json else progress)
            for finding in findings:
                click.echo(as_line(finding) if as_json else printable(str(finding)))
            if len(findings) == most and not as_json:
                click.echo(f"{check.name}: it ended there, more may be wrong: --most")
            found += len(findings)
        unsealed = count_unsealed(connection)
    show = show_end_as_json if as_json else show_end
    show(vouching, unsealed, found)
    sys.exit(1 if found else 0)


def read_all_exports(paths: tuple[Path, ...]) -> list[ExportedSeal]:
    try:
        seals = [seal for path in paths for seal in read_export(path)]
    except UnreadableExport as error:
        raise click.BadParameter(str(error), param_hint="--against") from error
    return sorted(seals, key=lambda seal: seal.number)


def run(
    connection: psycopg.Connection[Any], check: Check, most: int, show: Show
) -> list[Finding]:
    """Return the first *most* findings of a check, with a progress line."""
    with show(check.name, check.length(connection)) as advance:
        return list(islice(check.find(connection, advance), most))


def silent(label: str, length: int) -> AbstractContextManager[Advance]:
    return nullcontext(lambda _: None)


def show_end(vouching: SealedExtent, unsealed: UnsealedTail, found: int) -> None:
    click.echo(f"the seals vouch for the log up to position {vouching.up_to}")
    if unsealed.count:
        click.echo(
            f"not sealed yet: {unsealed.count:,} events behind position"
            f" {unsealed.after}; what is changed there now, no seal will show"
        )
    elif not unsealed.after:
        click.echo("there is no seal yet: beat has the log sealed, by a worker")
    click.echo(f"{found} findings" if found else "nothing is wrong")


def show_end_as_json(
    vouching: SealedExtent, unsealed: UnsealedTail, found: int
) -> None:
    end = {
        "findings": found,
        "vouched_up_to": vouching.up_to,
        "sealed_up_to": unsealed.after,
        "not_sealed": unsealed.count,
    }
    click.echo(msgspec.json.encode(end))


def as_line(finding: Finding) -> bytes:
    return msgspec.json.encode(finding)
