"""`recount stream import`: imports exported streams into another database."""

import sys
import time
from typing import BinaryIO

import click
import psycopg

from cli import import_report as report
from eventstore.errors import EventStoreError
from tasks.shop.history_import.catch_up import follow
from tasks.shop.history_import.errors import ImportRefused
from tasks.shop.printable import printable
from tasks.shop.stream_transfer.file import Line, read
from tasks.shop.stream_transfer.import_streams import StreamImportResult, bring_in
from tasks.shop.wiring import shop

INTERRUPTED = 130


@click.command("import", short_help="Import exported streams into this log.")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Check everything, and write nothing.")
def import_streams(file: BinaryIO, dry_run: bool) -> None:
    """
    Import exported streams into this log, all or none.

    FILE is what `recount stream export` wrote; - is standard input. Streams must not
    exist here, unless they came by the same file. Events keep their time and get new
    ids; what is personal is encrypted with keys of this shop.
    """
    try:
        lines = read_lines(file)
        brought = bring_in(shop(), lines, is_rehearsal=dry_run)
        report_import(brought, len(lines), is_rehearsal=dry_run)
        if not dry_run:
            started = time.monotonic()
            # Even if no event was new: an import may have been killed before this.
            if any(list(follow(shop()))):
                report.tell_followed(shop(), time.monotonic() - started)
    except (ImportRefused, EventStoreError) as error:
        details = error.details if isinstance(error, ImportRefused) else ()
        told = ImportRefused(printable(str(error)), tuple(map(printable, details)))
        report.tell_refusal(told, 0)
        sys.exit(1)
    except psycopg.OperationalError as error:
        click.echo(f"recount: PostgreSQL went away: {error}", err=True)
        click.echo("All of it was imported, or nothing: run it again.", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        click.echo("\nrecount: stopped.", err=True)
        click.echo("All of it was imported, or nothing: run it again.", err=True)
        sys.exit(INTERRUPTED)


def read_lines(file: BinaryIO) -> list[Line]:
    name = getattr(file, "name", "-")
    return read(file, "standard input" if name in ("-", "<stdin>") else str(name))[1]


def report_import(
    brought: StreamImportResult, count: int, *, is_rehearsal: bool
) -> None:
    if brought.new:
        done = "to import " if is_rehearsal else "imported  "
        nothing = "; nothing was written" if is_rehearsal else ""
        streams = ", ".join(brought.new[: report.MAX_DETAILS])
        more = len(brought.new) - report.MAX_DETAILS
        streams += f" and {more:,} more" if more > 0 else ""
        click.echo(f"{done} {brought.events:,} events of {streams}{nothing}")
    else:
        click.echo(f"nothing to do: all {count:,} events are in the log")
    if brought.new and brought.there:
        click.echo(f"there      {len(brought.there):,} streams were in the log already")
    for note in brought.notes:
        click.echo(printable(f"note       {note}"), err=True)
