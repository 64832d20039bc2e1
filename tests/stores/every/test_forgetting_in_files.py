"""
Who is forgotten leaves the files of each store, not only its answers.

What an operator must do besides is done here as docs/stores tells it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
import redis
from psycopg import sql

from domain.customers.commands import ForgetCustomer
from eventstore.stores import registry
from eventstore.stores.row_store import RowStore
from eventstore.stores.writer import Writer
from readmodels.stores.hot.store import HotStore
from readmodels.stores.search.store import SearchStore
from tasks.shop.wiring import Shop
from tests.stores.every.conftest import Kit
from tests.stores.servers.documents import DocumentsServer
from tests.stores.servers.postgres import PostgresServer
from tests.stores.servers.server import GivenServer, Server
from tests.support.desk import Do
from tests.support.fed_store import settle, written
from tests.support.persons import Person, clean_postgres
from tests.support.plaintext import count_files, files_with
from tests.support.waiting import wait_until

pytestmark = pytest.mark.stores

STATISTICS = "pg_catalog.pg_statistic"
"""It has values of tables, those that were dropped among them until it is written."""


def home_of(server: Server) -> list[Path]:
    """Return the folders with all that a server writes: data and logs."""
    if isinstance(server, DocumentsServer):
        return [server.home, *home_of(server.behind)]
    if isinstance(server, PostgresServer):
        return [server.folder, server.folders.state]
    return [server.folder.parent]


def flush(kit: Kit) -> None:
    """Have all that the server has in memory written to its disk."""
    match kit.store:
        case SearchStore() as store:
            store.ask("POST", f"/{store.prefix}-*/_flush?force=true", None)
        case HotStore():
            with cache(kit) as client:
                client.save()
        case _:
            with behind(kit.server) as session:
                session.execute("CHECKPOINT")


@contextmanager
def cache(kit: Kit) -> Iterator[Any]:
    client = redis.Redis.from_url(kit.server.url)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def behind(server: Server) -> Iterator[psycopg.Connection[Any]]:
    """Lend a session of the PostgreSQL that a server is, or that is behind it."""
    if isinstance(server, DocumentsServer):
        server = server.behind
    with psycopg.connect(server.url, autocommit=True) as session:
        yield session


@contextmanager
def kept_on_disk(kit: Kit) -> Iterator[None]:
    """Have a cache keep a file of its rows and one of its writes, in the clear."""
    if kit.name != "hot":
        yield
        return
    with cache(kit) as client:
        client.config_set("rdbcompression", "no")
        client.config_set("appendonly", "yes")
        try:
            yield
        finally:
            client.config_set("appendonly", "no")
            client.config_set("rdbcompression", "yes")


def clean(kit: Kit, url: str) -> None:
    """Do what an operator can do, so that also logs of writes have nothing."""
    match kit.name:
        case "hot":
            with cache(kit) as client:
                client.save()
                client.bgrewriteaof()
                wait_until(lambda: is_rewritten(client), "the file is written again")
        case "postgres":
            clean_postgres(url.replace("+psycopg", ""), table=STATISTICS)
        case "documents":
            server = cast(DocumentsServer, kit.server)
            clean_postgres(server.behind.url, table=STATISTICS)


def is_rewritten(client: Any) -> bool:
    info = client.info("persistence")
    return not info["aof_rewrite_in_progress"] and not info["aof_rewrite_scheduled"]


def texts_of(shop: Shop, table: str) -> str:
    with shop.lent() as connection:
        rows = connection.execute(
            sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(table))
        )
        return " ".join(text for (text,) in rows).lower()


def has_settled(writer: Writer) -> bool:
    settle(writer)
    return True


def has_purged(shop: Shop, store: RowStore) -> bool:
    """Return whether each shelf has nothing older than the last forgetting."""
    with shop.lent() as connection:
        orders = registry.find_orders(connection, store.name)
    shelves = [store.load_shelf(one.name) for one in store.projections]
    return all(
        shelf is not None and shelf.forgotten >= orders[one.name].forgotten > 0
        for shelf, one in zip(shelves, store.projections, strict=True)
    )


def test_who_is_forgotten_leaves_all_files_of_a_store(
    followed: Shop, kit: Kit, do: Do, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if isinstance(kit.server, GivenServer):
        pytest.skip("the files of a server that was given are not seen")
    person = Person()
    folders = home_of(kit.server)
    url = settings.read_database_url or ""
    with kept_on_disk(kit), written(followed, kit.store) as writer:
        settle(writer)
        do(*person.commands)
        settle(writer)
        # Copies that were put aside have the values, too.
        with followed.lent() as connection:
            for one in kit.store.projections:
                registry.order(connection, kit.name, one.name, "rebuild")
        if kit.name != "hot":
            settle(writer)
        flush(kit)
        before = files_with(folders, person.words)

        do(ForgetCustomer(customer_id=person.id))
        wait_until(
            lambda: has_settled(writer) and has_purged(followed, kit.store),
            "older copies are dropped",
        )
        flush(kit)
        dropped = files_with(folders, person.words)
        clean(kit, url)
        after = files_with(folders, person.words)

    print(
        f"\n{kit.name}: files with a word before {count_files(before)}, after the"
        f" purge {count_files(dropped)}, after what an operator does"
        f" {count_files(after)};"
        f" by word before {[len(f) for f in before.values()]}"
    )
    for path in sorted(set().union(*dropped.values())):
        print("  remained after the purge:", path.relative_to(folders[0].parent))
    assert all(before.values()), before
    assert {word: files for word, files in after.items() if files} == {}
    if kit.name == "search":
        assert count_files(dropped) == 0
    for table in ("refused_rows", "read_stores"):
        text = texts_of(followed, table)
        assert not [word for word in person.words if word in text]
