"""`recount stores list`: which stores there are, and how their copies stand."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import click

from cli.output import json_of
from eventstore.errors.stores import StoreAway
from eventstore.stores import registry
from eventstore.stores.registry import CopyStanding
from eventstore.stores.row_store import RowStore
from tasks.shop.printable import printable
from tasks.shop.wiring import shop
from tasks.stores.row_stores import row_stores
from tasks.stores.standings import find_store_standings

NONE_NAMED = (
    "no store is named: set READ_DATABASE_URL, REPLICA_DATABASE_URL, CACHE_URL,"
    " SEARCH_URL or DOCUMENTS_URL (docs/stores tells what each is for)"
)
NOBODY = "nobody writes it: no relay runs, or its settings do not name this store"


class StoreEntry(NamedTuple):
    """A copy of a read model in a store; *is_reachable* is what was found just now."""

    store: str
    is_reachable: bool
    because: str | None
    standing: CopyStanding | None


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON lines, for programs.")
def list_stores(as_json: bool) -> None:
    """List the stores: reachable, rows, lag in seconds, and the last comparison."""
    count = 0
    for entry in find_entries():
        count += 1
        click.echo(json_of(as_plain(entry)) if as_json else line_of(entry))
    if not count and not as_json:
        click.echo(NONE_NAMED)


def find_entries() -> Iterator[StoreEntry]:
    """Yield the copies of all stores, then the databases that are not written."""
    with shop().lent() as connection:
        standings = registry.find_copy_standings(connection)
    for store in row_stores(shop().settings, shop().identity):
        because = reason_away(store)
        for projection in store.projections:
            standing = next(
                (
                    one
                    for one in standings
                    if (one.store, one.read_model) == (store.name, projection.name)
                ),
                None,
            )
            yield StoreEntry(
                f"{store.name} {projection.name}", because is None, because, standing
            )
    reads = shop().reads
    if reads is not None:
        for found in find_store_standings(reads):
            age = found.seconds_old
            what = found.what or (None if age is None else f"{age:.1f} s behind")
            yield StoreEntry(found.name, found.state == "ok", what, None)


def reason_away(store: RowStore) -> str | None:
    """Return why a store cannot be reached, or None."""
    try:
        store.load_shelf(store.projections[0].name)
    except StoreAway as error:
        return error.because
    return None


def as_plain(entry: StoreEntry) -> dict[str, Any]:
    plain = entry.standing._asdict() if entry.standing else {}
    return {
        "store": entry.store.split()[0],
        "is_reachable": entry.is_reachable,
        "because": entry.because,
        **plain,
    }


def line_of(entry: StoreEntry) -> str:
    parts = ["reachable" if entry.is_reachable else "NOT REACHABLE"]
    if entry.because:
        parts.append(printable(entry.because))
    standing = entry.standing
    if standing is not None:
        parts += words_of(standing)
    return f"{entry.store}: {'; '.join(parts)}"


def words_of(standing: CopyStanding) -> Iterator[str]:
    """Yield what is known of a copy, in words."""
    if standing.serving is None:
        yield "no copy answers"
    else:
        yield f"copy {standing.serving} of generation {standing.generation}"
        if standing.rows is not None:
            yield f"{standing.rows:,} rows"
        seconds = standing.seconds_behind
        yield "never up to date" if seconds is None else f"{seconds:.1f} s behind"
    if standing.upcoming is not None:
        yield f"filling {standing.filled or 0:,} of {standing.expected or 0:,}"
    if standing.refused:
        yield f"{standing.refused:,} rows refused"
    if standing.compared_at is not None:
        yield (
            f"compared {standing.compared_at:%Y-%m-%d %H:%M:%S}:"
            f" {standing.differences:,} of {standing.compared_rows:,} differ"
        )
    if standing.previous is not None:
        yield "an earlier copy is kept"
    if standing.error:
        yield f"ERROR {printable(standing.error)}"
    if not standing.is_tended:
        yield NOBODY
