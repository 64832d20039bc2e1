"""`recount seals`: the newest seals, for keeping elsewhere."""

from pathlib import Path

import click

from eventstore.errors import EventStoreError
from tasks.shop.seals_export import export_to, lines_of_newest
from tasks.shop.wiring import shop


@click.group()
def seals() -> None:
    """The hashes that show whether the log was changed."""


@seals.command()
@click.option(
    "--to",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to this file; without it, to standard output.",
)
@click.option(
    "--last",
    type=click.IntRange(1, 100_000),
    default=1,
    show_default=True,
    help="How many. The newest covers all; more tell where a chain was rewritten.",
)
def export(path: Path | None, last: int) -> None:
    """
    Write the newest seals as lines of JSON, to be kept elsewhere.

    Keep them where nobody comes who has the database's password: `recount verify
    --against FILE` then finds also a chain that was rewritten as a whole, or cut off at
    its end. A file whose seals are not in the chain any more is never overwritten.
    """
    try:
        with shop().lent() as connection:
            if path is None:
                click.echo(lines_of_newest(connection, last), nl=False)
            else:
                export_to(connection, path, last)
    except EventStoreError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        reason = f"{path} cannot be written: {error.strerror}"
        raise click.ClickException(reason) from error
