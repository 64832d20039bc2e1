"""`recount parked`: streams that read models leave out, and trying them once more."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC

import click

from cli.output import json_of, progress
from cli.rebuild_report import way_out
from eventstore.errors import (
    CannotProject,
    ReadModelOutdated,
    RebuildFailed,
    TooIntertwined,
)
from eventstore.projections.parked_streams import (
    ParkedStream,
    drop_parked,
    find_parked,
)
from eventstore.projections.projection import Projection
from eventstore.rebuilding.retrying import RetryResult, chosen, retry_parked
from tasks.shop.wiring import shop


@click.group(short_help="List, retry or drop the streams that read models leave out.")
def parked() -> None:
    """
    List, retry or drop the streams that read models leave out.

    An event that cannot be projected parks its stream for that read model. Its rows say
    that they are old, and all other streams are followed. Correct the code, restart the
    processes, then retry.
    """


@parked.command("list")
@click.argument("read_model", required=False, metavar="[READMODEL]")
@click.option("--json", "as_json", is_flag=True, help="Lines of JSON.")
def list_parked(read_model: str | None, as_json: bool) -> None:
    """List what is parked, with the event, the error and the line that raised it."""
    if read_model is not None:
        known(read_model)
    with shop().lent() as connection:
        found = find_parked(connection, read_model)
    for entry in found:
        click.echo(json_of(entry._asdict()) if as_json else line_of(entry))
    if not found and not as_json:
        click.echo("nothing is parked")


def line_of(entry: ParkedStream) -> str:
    why = f"{entry.error} in {entry.line}"
    if entry.because_of is not None:
        why = f"because of {entry.because_of}"
    tried = "once" if entry.attempts == 1 else f"{entry.attempts:,} times"
    line = (
        f"{entry.read_model} {entry.stream_id} from position {entry.position:,}: {why};"
        f" since {entry.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, tried {tried}"
    )
    if entry.dropped_at is None:
        return line
    return f"{line}; dropped {entry.dropped_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


@parked.command(short_help="Make the rows of parked streams once more.")
@click.argument("read_model", required=False, metavar="[READMODEL]")
@click.argument("streams", nargs=-1, metavar="[STREAM…]")
def retry(read_model: str | None, streams: tuple[str, ...]) -> None:
    """
    Make the rows of parked streams once more; without names, of all of them.

    Rows are made from all events of their streams, as a rebuild makes them. Dropped
    streams are tried where they are named. Processes need not be stopped. Ends with 1
    if something is parked still.
    """
    projections = shop().projections if read_model is None else [known(read_model)]
    with shop().lent() as connection:
        found = find_parked(connection)
    left = 0
    tried = False
    for projection in projections:
        own = [one for one in found if one.read_model == projection.name]
        if streams:
            refuse_others(projection, own, streams)
        waiting = chosen(own, streams or None)
        if waiting:
            tried = True
            try:
                left += retry_one(projection, len(waiting), streams)
            except click.ClickException as error:
                # Another read model may be mended all the same.
                error.show()
                left += len(waiting)
    if not tried:
        click.echo("nothing is parked")
    if left:
        raise SystemExit(1)


def retry_one(projection: Projection, count: int, streams: Sequence[str]) -> int:
    """Retry what is parked for one read model; return how many are parked still."""
    name = projection.name
    if not projection.streams:
        click.echo(f"{name}: it is rebuilt, since it does not name the streams of rows")
    done = 0
    with one_line(name), progress(name, count) as advance:

        def show(reached: RetryResult, _: int) -> None:
            nonlocal done
            advance(sum(reached) - done)
            done = sum(reached)

        with shop().lent() as connection:
            retried = retry_parked(
                connection,
                projection,
                streams=streams or None,
                masters=shop().deciders.masters,
                show=show,
            )
            left = find_parked(connection, name) if retried.parked else []
    click.echo(
        f"{name}: {retried.mended:,} followed again, {retried.parked:,} parked still"
    )
    for entry in chosen(left, streams or None):
        click.echo(f"  {line_of(entry)}")
    return retried.parked


@contextmanager
def one_line(name: str) -> Iterator[None]:
    """Turn what keeps a retry from being done into one line, with what to do."""
    try:
        yield
    except CannotProject as error:
        raise click.ClickException(
            f"{name}: {error}. A stream that is not parked fails, too: the code is to"
            " be mended. What was done before stays done."
        ) from error
    except ReadModelOutdated as error:
        raise click.ClickException(
            f"{error} recount rebuild {name} does so, and tries what is parked."
        ) from error
    except RebuildFailed as error:
        raise click.ClickException(f"{error}{way_out(name, error)}") from error
    except TooIntertwined as error:
        raise click.ClickException(f"{error} recount rebuild {name} does.") from error


@parked.command(short_help="Leave parked streams out for good.")
@click.argument("read_model", metavar="READMODEL")
@click.argument("streams", nargs=-1, metavar="[STREAM…]")
@click.option("--all", "is_all", is_flag=True, help="All that are parked for it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def drop(read_model: str, streams: tuple[str, ...], is_all: bool, yes: bool) -> None:
    """
    Leave parked streams out of a read model for good: they are no longer reported.

    Their rows stay as they are, with their mark. A stream that is named can still be
    retried, and a rebuild tries all.
    """
    projection = known(read_model)
    if bool(streams) == is_all:
        raise click.UsageError("Name the streams, or give --all.")
    with shop().lent() as connection:
        found = [
            entry
            for entry in find_parked(connection, read_model, streams or None)
            if entry.dropped_at is None
        ]
        refuse_others(projection, found, streams)
        if not found:
            click.echo(f"nothing is parked for {read_model}")
            return
        if not yes:
            count = "1 stream" if len(found) == 1 else f"{len(found):,} streams"
            click.confirm(
                f"{count} of {read_model} will be left out for good. Go on?", abort=True
            )
        dropped = drop_parked(connection, read_model, streams or None)
    click.echo(f"{read_model}: {dropped:,} dropped")


def known(read_model: str) -> Projection:
    """Return the read model of that name, or end with those that there are."""
    names = {projection.name: projection for projection in shop().projections}
    if read_model not in names:
        raise click.UsageError(
            f"There is no read model {read_model}. They are: {', '.join(names)}."
        )
    return names[read_model]


def refuse_others(
    projection: Projection, found: Sequence[ParkedStream], streams: Sequence[str]
) -> None:
    """End where one of *streams* is not among those that were found."""
    others = [one for one in streams if one not in {p.stream_id for p in found}]
    if others:
        raise click.ClickException(
            f"{others[0]} is not parked for {projection.name}: recount parked list"
            f" {projection.name}. Nothing was changed."
        )
