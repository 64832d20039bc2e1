"""`recount stream export`: writes streams to a file, with personal data masked."""

from pathlib import Path

import click

from eventstore.errors import EventStoreError
from eventstore.seals.export import write_export
from tasks.shop.printable import printable
from tasks.shop.stream_transfer.errors import ExportRefused
from tasks.shop.stream_transfer.export import export, subjects_left_out
from tasks.shop.stream_transfer.file import Line, write_file
from tasks.shop.wiring import shop


@click.command(
    "export", short_help="Write streams to a file, with personal data masked."
)
@click.argument("stream_ids", metavar="STREAM...", nargs=-1, required=True)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to this file; without it, to standard output.",
)
@click.option("--unmasked", is_flag=True, help="Do not mask personal data.")
def export_streams(
    stream_ids: tuple[str, ...], output: Path | None, unmasked: bool
) -> None:
    """
    Write the events of streams as lines of JSON, for `recount stream import`.

    Personal data are masked: what stands for them is of the same kind, the same for the
    same value of the same person, and tells nothing. What people typed into free text,
    like the reason of a cancellation, is not marked as personal and stays.
    """
    secret = None if unmasked else shop().settings.secret_key.encode()
    try:
        with shop().lent() as connection:
            lines = export(connection, stream_ids, shop().deciders, secret=secret)
        content = write_file(lines, is_masked=not unmasked)
        if output is None:
            click.echo(content, nl=False)
        else:
            write_export(output, content.decode())
    except (ExportRefused, EventStoreError) as error:
        raise click.ClickException(printable(str(error))) from error
    except OSError as error:
        reason = f"{output} cannot be written: {error.strerror}"
        raise click.ClickException(printable(reason)) from error
    report_export(lines, is_masked=not unmasked)


def report_export(lines: list[Line], *, is_masked: bool) -> None:
    """Print to standard error what was exported, and which customers are missing."""
    count = len({line.stream_id for line in lines})
    masked = "personal data masked" if is_masked else "personal data in the clear"
    click.echo(
        f"exported   {len(lines):,} events of {count:,} streams, {masked}", err=True
    )
    for subject in sorted(subjects_left_out(lines, shop().deciders)):
        click.echo(
            printable(f"note       {subject}, whom they are about, is not among them"),
            err=True,
        )
