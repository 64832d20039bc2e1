"""`recount rebuild`: rebuilds read models while the shop runs."""

import sys

import click

from cli.output import progress
from eventstore.errors import RebuildFailed
from eventstore.log.read import last_drawn
from eventstore.projections.projection import Projection
from eventstore.projections.rebuild import Progress
from tasks.shop.rebuild import rebuild as rebuild_model
from tasks.shop.wiring import shop


@click.command()
@click.argument("names", nargs=-1, metavar="NAME…")
@click.option("--all", "is_all", is_flag=True, help="Every read model, one by one.")
def rebuild(names: tuple[str, ...], is_all: bool) -> None:
    """
    Rebuild a read model from the log, and replace the old one.

    Until then pages and programs read the old rows. It also works if the table was
    dropped. The old rows are kept until the next rebuild.
    """
    known = {projection.name: projection for projection in shop().projections}
    unknown = [name for name in names if name not in known]
    if unknown or not (names or is_all):
        wrong = f"There is no read model {unknown[0]}. " if unknown else ""
        raise click.UsageError(f"{wrong}The read models are: {', '.join(known)}.")
    failed = [
        name for name in (known if is_all else names) if not rebuild_one(known[name])
    ]
    sys.exit(1 if failed else 0)


def rebuild_one(projection: Projection) -> bool:
    """Rebuild one with a progress line; return whether it succeeded."""
    done = 0
    try:
        with progress(projection.name, last_position()) as advance:

            def show(reached: Progress) -> None:
                nonlocal done
                advance(reached.position - done)
                done = reached.position

            rebuilt = rebuild_model(shop(), projection, show)
    except RebuildFailed as error:
        click.echo(f"recount: {error}", err=True)
        return False
    click.echo(
        f"{projection.name}: generation {rebuilt.generation} is live, at position"
        f" {rebuilt.position:,}, after {rebuilt.seconds:.1f} s"
    )
    return True


def last_position() -> int:
    with shop().lent() as connection:
        return last_drawn(connection)
