"""`recount rebuild`: rebuilds read models while the shop runs, and goes back."""

import sys
from collections.abc import Callable, Collection

import click

from cli.output import json_of
from cli.rebuild_options import DifferencesAccepted
from cli.rebuild_progress import display
from cli.rebuild_report import (
    difference_as_json,
    lines_of,
    rebuilt_as_json,
    refused_as_json,
    way_out,
)
from eventstore.errors import EventStoreError, RebuildFailed
from eventstore.projections.failures import Failure
from eventstore.projections.parking import Parker
from eventstore.projections.projection import Projection
from eventstore.rebuilding.comparing import Comparison
from readmodels.rows_in_words import Words
from tasks.shop.printable import printable
from tasks.shop.rebuild import mend_row, put_back
from tasks.shop.rebuild import rebuild as rebuild_model
from tasks.shop.wiring import shop

MAX_PROCESSES = 32


@click.command()
@click.argument("names", nargs=-1, metavar="NAME…")
@click.option("--all", "is_all", is_flag=True, help="Every read model, one by one.")
@click.option(
    "--park",
    "may_park",
    is_flag=True,
    help="Go on where an event cannot be projected, and leave its stream out.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, MAX_PROCESSES),
    default=1,
    show_default=True,
    help="Fill it with so many processes, each for a part of the rows.",
)
@click.option(
    "--accept-differences",
    "accepted",
    type=DifferencesAccepted(),
    default="0",
    metavar="N|any",
    help="Put the new rows live if at most N of them differ from the old ones; `any`:"
    " also if they could not be compared.",
)
@click.option(
    "--dry-run",
    "is_dry_run",
    is_flag=True,
    help="Fill and compare, say what differs, and drop what was filled.",
)
@click.option(
    "--rollback",
    "is_back",
    is_flag=True,
    help="Put the rows from before the last rebuild back, caught up.",
)
@click.option(
    "--key", metavar="KEY", help="Make this one row of NAME again from its streams."
)
@click.option("--json", "as_json", is_flag=True, help="The result as a line of JSON.")
def rebuild(
    names: tuple[str, ...],
    is_all: bool,
    may_park: bool,
    processes: int,
    accepted: int | None,
    is_dry_run: bool,
    is_back: bool,
    key: str | None,
    as_json: bool,
) -> None:
    """
    Rebuild a read model from the log, and replace the old one.

    Until then pages and programs read the old rows. It also works if the table was
    dropped. The old rows are kept until the next rebuild, and --rollback puts them
    back. One that is killed goes on where it was when it is started again.

    Before the swap the new rows are compared with the old ones, and what differs is
    said. If more rows differ than --accept-differences allows, the old ones stay, and
    the command ends with 1; what was filled is kept for the next try. After a change of
    the code differences are to be expected: read them, then accept their number. It is
    refused, too, where the old rows are far behind the log, and so cannot be compared.

    An event that cannot be projected ends it, and the old rows stay. With --park its
    stream is left out, and can be retried later: recount parked.
    """
    known = {projection.name: projection for projection in shop().projections}
    unknown = [name for name in names if name not in known]
    if unknown or not (names or is_all):
        wrong = f"There is no read model {unknown[0]}. " if unknown else ""
        raise click.UsageError(f"{wrong}The read models are: {', '.join(known)}.")
    chosen = [known[name] for name in (known if is_all else names)]
    if may_park and processes > 1:
        raise click.UsageError("--park fills with one process: leave out --processes.")
    if (is_back or key is not None) and (is_dry_run or may_park or processes > 1):
        raise click.UsageError("--rollback and --key fill nothing: leave the rest out.")
    if key is not None:
        if len(chosen) > 1 or is_back:
            raise click.UsageError("--key makes a row of one read model.")
        done = [mend_one(chosen[0], key, as_json=as_json)]
    elif is_back:
        done = [go_back(projection, as_json=as_json) for projection in chosen]
    else:
        done = [
            rebuild_one(
                projection,
                may_park=may_park,
                processes=processes,
                accepted=accepted,
                is_dry_run=is_dry_run,
                as_json=as_json,
            )
            for projection in chosen
        ]
    sys.exit(0 if all(done) else 1)


def words_of(projection: Projection) -> Words:
    return Words(projection.key, shop().settings.currency)


def say_of(projection: Projection, *, as_json: bool) -> Callable[[str], None]:
    """Return what says a sentence about a read model, which JSON does without."""

    def say(sentence: str) -> None:
        if not as_json:
            click.echo(printable(f"{projection.name}: {sentence}"))

    return say


def rebuild_one(
    projection: Projection,
    *,
    may_park: bool = False,
    processes: int = 1,
    accepted: int | None = 0,
    is_dry_run: bool = False,
    as_json: bool = False,
) -> bool:
    """Rebuild one with a progress line; return whether it succeeded."""
    parked: set[str] = set()
    found: list[Comparison] = []
    words, say = words_of(projection), say_of(projection, as_json=as_json)
    parker = parker_of(parked) if may_park else None
    try:
        with display(projection.name, is_shown=not as_json) as show:
            rebuilt = rebuild_model(
                shop(),
                projection,
                show,
                say=say,
                report=found.append,
                parker=parker,
                processes=processes,
                accept_differences=accepted,
                is_dry_run=is_dry_run,
            )
    except RebuildFailed as error:
        for comparison in [] if as_json else found:
            for line in lines_of(comparison, words):
                say(line)
        if as_json:
            click.echo(json_of(refused_as_json(projection, error, found, words)))
        text = f"recount: {error}{way_out(projection.name, error)}"
        click.echo(printable(text), err=True)
        return False
    if as_json:
        click.echo(json_of(rebuilt_as_json(projection, rebuilt, words)))
    for comparison in found:
        for line in lines_of(comparison, words):
            say(line)
    if rebuilt.not_compared is not None:
        say(f"not compared: {rebuilt.not_compared}")
    if is_dry_run:
        end = "kept, as an earlier one had said" if rebuilt.is_kept else "dropped"
        say(f"dry run, after {rebuilt.seconds:.1f} s; what was filled is {end}")
        if rebuilt.refusal is not None:
            say(f"it would be refused: {rebuilt.refusal}")
        return rebuilt.refusal is None
    say(
        f"generation {rebuilt.generation} is live, at position {rebuilt.position:,},"
        f" after {rebuilt.seconds:.1f} s"
    )
    say_parked(parked, say)
    return True


def parker_of(parked: set[str]) -> Parker:
    """Return what parks streams where it must, and adds their ids to *parked*."""

    def note(_: str, failure: Failure) -> None:
        parked.add(failure.stream_id)

    return Parker(masters=shop().deciders.masters, report=note)


def say_parked(parked: Collection[str], say: Callable[[str], None]) -> None:
    if parked:
        streams = "1 stream is" if len(parked) == 1 else f"{len(parked):,} streams are"
        say(f"{streams} parked: recount parked list")


def go_back(projection: Projection, *, as_json: bool) -> bool:
    """
    Put the kept rows back; return whether it succeeded.

    An event that cannot be projected is no reason to stay with wrong rows: its stream
    is parked, as it is for the live rows.
    """
    say = say_of(projection, as_json=as_json)
    parked: set[str] = set()
    try:
        done = put_back(shop(), projection, parker_of(parked))
    except RebuildFailed as error:
        click.echo(printable(f"recount: {error}"), err=True)
        return False
    if as_json:
        click.echo(
            json_of(
                {
                    "read_model": projection.name,
                    "former": done.former,
                    "generation": done.generation,
                    "position": done.position,
                    "is_of_this_code": done.is_of_this_code,
                    "seconds": round(done.seconds, 3),
                    "milliseconds_of_swap": round(done.seconds_of_swap * 1000, 1),
                }
            )
        )
    say(
        f"what was generation {done.former} is live again as generation"
        f" {done.generation}, at position {done.position:,}, after {done.seconds:.2f} s"
    )
    if not done.is_of_this_code:
        say(
            "other code had filled it, and this code goes on with it: rows may be of"
            " both. Deploy that code, or rebuild it"
        )
    say_parked(parked, say)
    return True


def mend_one(projection: Projection, key: str, *, as_json: bool) -> bool:
    """Make one row once more; return whether it was done."""
    words, say = words_of(projection), say_of(projection, as_json=as_json)
    try:
        made = mend_row(shop(), projection, key)
    except EventStoreError as error:
        click.echo(printable(f"recount: {error}"), err=True)
        return False
    difference = made.difference
    if as_json:
        click.echo(
            json_of(
                {
                    "read_model": projection.name,
                    "key": made.key,
                    "position": made.position,
                    "parked": made.parked,
                    "difference": difference and difference_as_json(difference, words),
                }
            )
        )
    if difference is None and made.row is None:
        say(f"there is no row {made.key}, and no event makes one")
    elif difference is None:
        say(f"{made.key} is as its streams make it, up to position {made.position:,}")
    else:
        say(f"written: {words.sentence(difference)}")
    for stream_id in made.parked:
        say(f"{stream_id} is parked, and left out from there on: recount parked list")
    return True
