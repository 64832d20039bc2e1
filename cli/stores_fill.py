"""`recount stores rebuild` and `rollback`: other copies in place of those there are."""

import sys
import threading
import time
from typing import Any

import click
import psycopg

from cli.chosen_store import names_of, store_called
from cli.output import progress
from eventstore.errors.stores import CopyMoved, OutdatedWriter, StoreAway
from eventstore.stores import registry
from eventstore.stores.registry import BEGUN, CopyStanding, Order
from eventstore.stores.row_store import RowStore
from eventstore.stores.writer import Writer
from tasks.shop.printable import printable
from tasks.shop.wiring import shop

SECONDS_BETWEEN_LOOKS = 0.2
SECONDS_OF_PATIENCE = 15.0
"""Seconds without progress, with an error or without a writer, before giving up."""
SECONDS_TO_BEGIN = 5.0
"""Seconds in which a writer takes an order, or this command becomes the writer."""


@click.command("rebuild")
@click.argument("store")
@click.argument("read_models", nargs=-1, metavar="READ-MODEL…")
def rebuild(store: str, read_models: tuple[str, ...]) -> None:
    """
    Fill new copies in STORE beside those that answer, and put them in place.

    Each is compared with PostgreSQL first, and stays out if it differs. The copy before
    is kept: recount stores rollback. Without READ-MODEL all of the store's are filled.
    """
    carry_out_all(store, read_models, "rebuild")


@click.command("rollback")
@click.argument("store")
@click.argument("read_models", nargs=-1, metavar="READ-MODEL…")
def rollback(store: str, read_models: tuple[str, ...]) -> None:
    """
    Go back to the copy before in STORE, brought up to date first.

    The one that answers now is kept in its place, so it can be undone in the same way.
    """
    carry_out_all(store, read_models, "rollback")


def carry_out_all(store: str, read_models: tuple[str, ...], wanted: Order) -> None:
    """Carry out what is wanted of each copy, and end: with 1 if one is not done."""
    row_store = store_called(store)
    failed = [
        name
        for name in names_of(row_store, read_models)
        if not carry_out(row_store, name, wanted)
    ]
    sys.exit(1 if failed else 0)


def carry_out(store: RowStore, name: str, wanted: Order) -> bool:
    """Order something of a copy, wait for the end, and return whether it is done."""
    with shop().lent() as connection:
        before = standing_of(connection, store, name)
        if before is None or not before.is_tended:
            write_here(connection, store, name, wanted)
        else:
            registry.order(connection, store.name, name, wanted)
            follow(connection, store, name)
        after = standing_of(connection, store, name)
    assert after is not None
    if is_carried_out(before, after, wanted):
        words = "is rolled back" if wanted == "rollback" else "is filled"
        click.echo(
            f"{store.name} {name}: {words}; copy {after.serving} answers, with"
            f" {after.rows or 0:,} rows, {after.differences or 0} differences"
        )
        return True
    refused = after.answer if after.answer != BEGUN else None
    because = refused or after.error or "the copy was not put in place"
    click.echo(f"{store.name} {name}: {printable(because)}", err=True)
    return False


def is_carried_out(
    before: CopyStanding | None, after: CopyStanding, wanted: Order
) -> bool:
    """Return whether the copy that answers now is the one that was wanted."""
    if after.answer != BEGUN or after.serving is None:
        return False
    if wanted == "rollback":
        return before is not None and after.serving == before.previous
    return before is None or after.serving != before.serving


def write_here(
    connection: psycopg.Connection[Any], store: RowStore, name: str, wanted: Order
) -> None:
    """Do what is wanted in this process, since no other one writes the store."""
    if not registry.take_turn(connection, store.name):
        raise click.ClickException(f"{store.name} is being taken over: try again")
    writer = Writer(store, connection)
    registry.order(connection, store.name, name, wanted)
    stop, patience = threading.Event(), Patience()
    try:
        with ProgressOf(store.name, name) as shown:
            until_taken = time.monotonic() + SECONDS_TO_BEGIN

            def is_over() -> bool:
                if writer.failures > 2:
                    return True
                standing = standing_of(connection, store, name)
                shown.show(standing)
                if standing is None or standing.wanted is not None:
                    return time.monotonic() > until_taken
                return is_done(standing) or patience.is_over(standing)

            writer.run(is_over, stop)
    except (StoreAway, CopyMoved, OutdatedWriter) as error:
        raise click.ClickException(str(error)) from error
    finally:
        registry.withdraw(connection, store.name, name)
        connection.execute("SELECT pg_advisory_unlock_all()")


def follow(connection: psycopg.Connection[Any], store: RowStore, name: str) -> None:
    """Wait until the store's writer has done what was ordered."""
    with ProgressOf(store.name, name) as shown:
        until_taken, patience = time.monotonic() + SECONDS_TO_BEGIN, Patience()
        while True:
            standing = standing_of(connection, store, name)
            assert standing is not None
            shown.show(standing)
            if standing.wanted is None and is_done(standing):
                return
            if standing.wanted is None and patience.is_over(standing):
                return
            if standing.wanted is not None and time.monotonic() > until_taken:
                registry.withdraw(connection, store.name, name)
                raise click.ClickException(
                    f"the writer of {store.name} does not take the order; see the log"
                    " of the relay"
                )
            time.sleep(SECONDS_BETWEEN_LOOKS)


def is_done(standing: CopyStanding) -> bool:
    """Return whether no copy is being filled, as its writer noted last."""
    return standing.upcoming is None


class Patience:
    """Is over when a copy was not filled for a while and its writer tells why not."""

    def __init__(self) -> None:
        self.filled: int | None = None
        self.moved_at = time.monotonic()

    def is_over(self, standing: CopyStanding) -> bool:
        is_failing = bool(standing.error) or not standing.is_tended
        if standing.filled != self.filled or not is_failing:
            self.filled, self.moved_at = standing.filled, time.monotonic()
        return time.monotonic() > self.moved_at + SECONDS_OF_PATIENCE


class ProgressOf:
    """The progress of a copy that is filled, as its writer notes it."""

    def __init__(self, store: str, name: str) -> None:
        self.label = f"{store} {name}"
        self.context: Any = None
        self.add: Any = None
        self.done = 0

    def __enter__(self) -> "ProgressOf":
        return self

    def __exit__(self, *error: Any) -> None:
        if self.context is not None:
            self.context.__exit__(*error)

    def show(self, standing: CopyStanding | None) -> None:
        if standing is None or standing.filled is None or not standing.expected:
            return
        if self.context is None:
            self.context = progress(self.label, standing.expected)
            self.add = self.context.__enter__()
        self.add(standing.filled - self.done)
        self.done = standing.filled


def standing_of(
    connection: psycopg.Connection[Any], store: RowStore, name: str
) -> CopyStanding | None:
    for standing in registry.find_copy_standings(connection):
        if (standing.store, standing.read_model) == (store.name, name):
            return standing
    return None
