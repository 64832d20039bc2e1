"""`recount stores compare`: holds the copies in a store against PostgreSQL."""

import sys

import click

from cli.chosen_store import names_of, store_called
from cli.output import progress
from eventstore.errors.following import ChangesBegunAgain
from eventstore.errors.stores import CopyMoved, StoreAway
from eventstore.projections.changed_rows import count_keys
from eventstore.projections.changes import find_newest
from eventstore.stores import registry
from eventstore.stores.comparison import MAX_SAMPLE, compare
from eventstore.stores.row_store import RowStore
from tasks.shop.printable import printable
from tasks.shop.wiring import shop

MAX_DIFFERENCES = 20
"""That are shown."""


@click.command("compare")
@click.argument("store")
@click.argument("read_models", nargs=-1, metavar="READ-MODEL…")
@click.option("--all", "is_full", is_flag=True, help="Every row, not a sample.")
def compare_copies(store: str, read_models: tuple[str, ...], *, is_full: bool) -> None:
    """
    Compare the copies in STORE with PostgreSQL while both are written.

    Ends with status 1 if anything differs.
    """
    row_store = store_called(store)
    different = False
    for name in names_of(row_store, read_models):
        different |= not compare_one(row_store, name, is_full=is_full)
    sys.exit(int(different))


def compare_one(store: RowStore, name: str, *, is_full: bool) -> bool:
    """Compare the copy of one read model; return whether it is equal."""
    projection = next(one for one in store.projections if one.name == name)
    try:
        shelf = store.load_shelf(name)
        copy = shelf.serving if shelf else None
        if copy is None:
            click.echo(f"{store.name} {name}: no copy to compare")
            return False
        with shop().lent() as connection:
            newest = find_newest(connection, [name]).get(name)
            if newest is None or not copy.is_of(newest.epoch, newest.generation):
                click.echo(
                    f"{store.name} {name}: the copy is of rows that were replaced by a"
                    " rebuild, and a new one is filled"
                )
                return False
            total = count_keys(connection, projection, copy.generation)
            refused = registry.find_refused(connection, store.name, name, copy.number)
            with progress(
                f"{store.name} {name}", total if is_full else MAX_SAMPLE
            ) as add:
                done = 0

                def show(rows: int) -> None:
                    nonlocal done
                    add(rows - done)
                    done = rows

                found = compare(
                    connection,
                    store,
                    projection,
                    copy,
                    refused=refused,
                    is_full=is_full,
                    progress=show,
                )
            registry.note_comparison(connection, store.name, name, *found)
    except (StoreAway, CopyMoved, ChangesBegunAgain) as error:
        raise click.ClickException(str(error)) from error
    for difference in found.differences[:MAX_DIFFERENCES]:
        click.echo(printable(difference))
    left = f", {len(refused):,} refused rows left out" if refused else ""
    click.echo(
        f"{store.name} {name}: {found.rows:,} rows compared{left},"
        f" {len(found.differences):,} differences"
    )
    return not found.differences
