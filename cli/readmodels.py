"""`recount readmodels`: which there are, following, dropping and removing one."""

from collections.abc import Callable
from typing import Any, NamedTuple

import click
import msgspec
import psycopg

from eventstore.errors import EventStoreError, RebuildRunning, UnknownReadModel
from eventstore.projections.following import find_followed, follow, unfollow
from eventstore.projections.generations import live_generations, shape_of
from eventstore.projections.removal import drop_rows, remove_read_model
from eventstore.projections.table import SCHEMA
from eventstore.projections.tables import name_of
from eventstore.subscriptions.lag import SubscriptionLag, find_standings
from eventstore.subscriptions.standstill import MISSING
from tasks.shop.wiring import shop


class ReadModelEntry(NamedTuple):
    """
    A read model: its live *generation*, its *position* in the log, and its *state*.

    *behind* counts positions of the log, *bytes* is what its tables and their indexes
    take on the disk, in all generations. None where there is none. *is_followed* says
    whether its changes are kept.
    """

    name: str
    state: str
    generation: int | None = None
    position: int | None = None
    behind: int | None = None
    bytes: int = 0
    is_followed: bool = False


SIZES = """
    SELECT
        regexp_replace(c.relname, '_g[0-9]+(_.*)?$', ''),
        sum(pg_catalog.pg_total_relation_size(c.oid))::bigint
    FROM pg_catalog.pg_class AS c
    WHERE c.relnamespace = to_regnamespace(%s) AND c.relkind = 'r'
        -- Copies of the past: recount past list.
        AND c.relname !~ '_at_[0-9]+(_|$)'
    GROUP BY 1
"""


@click.group(short_help="List the read models; follow, drop or remove one.")
def readmodels() -> None:
    """
    List the read models; let one be followed, drop its rows, or remove it.

    A read model is computed from the log: nothing is lost with it but the time that a
    rebuild takes.
    """


@readmodels.command("list")
@click.option("--json", "as_json", is_flag=True, help="Lines of JSON.")
def list_read_models(as_json: bool) -> None:
    """List the read models, those of the code and those that are left of others."""
    entries = find_entries()
    if as_json:
        for entry in entries:
            click.echo(msgspec.json.encode(entry._asdict()))
        return
    width = max((len(entry.name) for entry in entries), default=0)
    for entry in entries:
        click.echo(line_of(entry, width))


def line_of(entry: ReadModelEntry, width: int) -> str:
    parts = [entry.state]
    if entry.generation is not None:
        parts.append(f"generation {entry.generation}")
    if entry.position is not None:
        parts.append(f"at {entry.position:,}, {entry.behind:,} behind")
    if entry.bytes:
        parts.append(f"{entry.bytes / 1_000_000:,.1f} MB")
    if entry.is_followed:
        parts.append("followed")
    return f"{entry.name:{width}} {'; '.join(parts)}"


def find_entries() -> list[ReadModelEntry]:
    with shop().lent() as connection:
        live = live_generations(connection)
        lags = {
            lag.name: lag
            for lag in find_standings(connection)
            if lag.standstill is None or lag.standstill.because != MISSING
        }
        sizes = dict(connection.execute(SIZES, (SCHEMA,)).fetchall())
        followed = find_followed(connection)
    code = {projection.name: projection for projection in shop().projections}
    others = sorted({*live, *sizes} - code.keys())
    entries = []
    for name in [*code, *others]:
        generation = live[name].number if name in live else None
        lag = lags.get(name_of(name, generation)) if generation else None
        shape = shape_of(code[name]) if name in code else None
        state = state_of(name, lag, shape, live[name].shape if name in live else None)
        entries.append(
            ReadModelEntry(
                name=name,
                state=state,
                generation=generation,
                position=lag.checkpoint if lag else None,
                behind=lag.lag if lag else None,
                bytes=sizes.get(name, 0),
                is_followed=name in followed,
            )
        )
    return entries


def state_of(
    name: str, lag: SubscriptionLag | None, wanted: str | None, found: str | None
) -> str:
    """Return what there is to say of a read model, and what to do about it."""
    if wanted is None:
        return f"not in the code: recount readmodels remove {name}"
    if lag is None:
        return f"dropped, or not made yet: recount rebuild {name}"
    if wanted != found:
        return f"made from another definition: recount rebuild {name}"
    if lag.standstill is not None:
        return "stands still: recount status says why"
    return "live"


@readmodels.command("follow", short_help="Keep the changes of the rows of one.")
@click.argument("name")
def follow_changes(name: str) -> None:
    """
    Keep which rows of the read model NAME change, for services that follow it.

    They read it by `GET /api/changes`. It costs each pass that changes its rows a
    little; while the first change is made, with all rows, NAME is not caught up.
    """
    known = {projection.name: projection for projection in shop().projections}
    if name not in known:
        raise click.ClickException(
            f"There is no read model {name} in the code. The read models are:"
            f" {', '.join(known)}."
        )
    try:
        with shop().lent() as connection, connection.transaction():
            is_new = follow(connection, known[name])
    except EventStoreError as error:
        raise click.ClickException(f"{error}") from error
    except psycopg.errors.LockNotAvailable as error:
        raise in_use(name) from error
    click.echo(f"{name} is followed{'' if is_new else ' already'}.")


@readmodels.command("unfollow", short_help="Keep the changes of one no more.")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def unfollow_changes(name: str, yes: bool) -> None:
    """
    Drop the changes of the read model NAME, and keep none from now on.

    Who follows it gets an error. If it is followed again, they begin from the first.
    """
    if not yes:
        click.confirm(f"The changes of {name} go. Go on?", abort=True)
    try:
        with shop().lent() as connection, connection.transaction():
            was_followed = unfollow(connection, name)
    except RebuildRunning as error:
        raise click.ClickException(f"{error}") from error
    except psycopg.errors.LockNotAvailable as error:
        raise in_use(name) from error
    click.echo(
        f"{name} is {'not followed any more' if was_followed else 'not followed'}."
    )


def in_use(name: str) -> click.ClickException:
    return click.ClickException(
        f"The rows of {name} are in use: end the transactions that hold them, and try"
        " again."
    )


@readmodels.command(short_help="Drop the rows of one, until it is rebuilt.")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def drop(name: str, yes: bool) -> None:
    """
    Drop all rows of the read model NAME, its tables and its view.

    Its pages then say so, and `recount rebuild NAME` makes it again from the log.
    """
    take_away(
        name,
        drop_rows,
        None
        if yes
        else f"All rows of {name} go; its pages show none until it is rebuilt.",
        f"is dropped: recount rebuild {name} makes it again",
    )


@readmodels.command(short_help="Remove one that is not wanted any more.")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(name: str, yes: bool) -> None:
    """
    Remove what is left of the read model NAME, whose file was taken out.

    One that is in the code is refused: the next process that starts would make it
    again. Should the file come back, its rows come back by reading the log.
    """
    if name in {projection.name for projection in shop().projections}:
        raise click.ClickException(
            f"{name} is in the code: take readmodels/{name}.py out first, or drop its"
            f" rows with recount readmodels drop {name}."
        )
    take_away(
        name,
        remove_read_model,
        None if yes else f"All that is left of {name} goes.",
        "is removed",
    )


def take_away(
    name: str,
    act: Callable[[psycopg.Connection[Any], str], int],
    question: str | None,
    done: str,
) -> None:
    if question is not None:
        click.confirm(f"{question} Go on?", abort=True)
    try:
        with shop().of_owner() as owner, owner.transaction() as connection:
            count = act(connection, name)
    except UnknownReadModel as error:
        known = ", ".join(entry.name for entry in find_entries())
        raise click.ClickException(f"{error} The read models are: {known}.") from error
    except RebuildRunning as error:
        raise click.ClickException(f"{error}") from error
    generations = "1 generation" if count == 1 else f"{count} generations"
    click.echo(f"{name} {done} ({generations}).")
