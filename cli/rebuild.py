"""`recount rebuild`: rebuilds read models while the shop runs."""

import sys

import click

from cli.output import progress
from eventstore.errors import CannotProject, RebuildFailed
from eventstore.log.read import last_drawn
from eventstore.projections.failures import Failure
from eventstore.projections.parking import Parker
from eventstore.projections.projection import Projection
from eventstore.projections.rebuild import Progress
from tasks.shop.rebuild import rebuild as rebuild_model
from tasks.shop.wiring import shop


@click.command()
@click.argument("names", nargs=-1, metavar="NAME…")
@click.option("--all", "is_all", is_flag=True, help="Every read model, one by one.")
@click.option(
    "--park",
    "may_park",
    is_flag=True,
    help="Go on where an event cannot be projected, and leave its stream out.",
)
def rebuild(names: tuple[str, ...], is_all: bool, may_park: bool) -> None:
    """
    Rebuild a read model from the log, and replace the old one.

    Until then pages and programs read the old rows. It also works if the table was
    dropped. The old rows are kept until the next rebuild.

    An event that cannot be projected ends it, and the old rows stay. With --park its
    stream is left out, and can be retried later: recount parked.
    """
    known = {projection.name: projection for projection in shop().projections}
    unknown = [name for name in names if name not in known]
    if unknown or not (names or is_all):
        wrong = f"There is no read model {unknown[0]}. " if unknown else ""
        raise click.UsageError(f"{wrong}The read models are: {', '.join(known)}.")
    failed = [
        name
        for name in (known if is_all else names)
        if not rebuild_one(known[name], may_park=may_park)
    ]
    sys.exit(1 if failed else 0)


def rebuild_one(projection: Projection, *, may_park: bool = False) -> bool:
    """Rebuild one with a progress line; return whether it succeeded."""
    done = 0
    parked: set[str] = set()

    def note(_: str, failure: Failure) -> None:
        parked.add(failure.stream_id)

    masters = shop().deciders.masters
    parker = Parker(masters=masters, report=note) if may_park else None
    try:
        with progress(projection.name, last_position()) as advance:

            def show(reached: Progress) -> None:
                nonlocal done
                advance(reached.position - done)
                done = reached.position

            rebuilt = rebuild_model(shop(), projection, show, parker=parker)
    except RebuildFailed as error:
        click.echo(f"recount: {error}{way_out(projection.name, error)}", err=True)
        return False
    click.echo(
        f"{projection.name}: generation {rebuilt.generation} is live, at position"
        f" {rebuilt.position:,}, after {rebuilt.seconds:.1f} s"
    )
    if parked:
        streams = "1 stream is" if len(parked) == 1 else f"{len(parked):,} streams are"
        click.echo(f"{projection.name}: {streams} parked: recount parked list")
    return True


def way_out(read_model: str, error: RebuildFailed) -> str:
    """Return what else can be done if an event is the reason, as the end of a line."""
    if not isinstance(error.__cause__, CannotProject):
        return ""
    return (
        ". Mend the code; or, where it is this event alone, leave its stream out:"
        f" recount rebuild {read_model} --park"
    )


def last_position() -> int:
    with shop().lent() as connection:
        return last_drawn(connection)
