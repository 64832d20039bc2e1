"""Servers of stores that take no writes for a while, by their own settings."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import redis

from readmodels.stores.postgres.store import PostgresStore
from readmodels.stores.search.store import SearchStore
from tests.stores.every.conftest import Kit
from tests.stores.servers.documents import DocumentsServer

READ_ONLY = "default_transaction_read_only"
FULL = """
    CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE disk_full;
    END
    $$;
    CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON recount_store.copies
        EXECUTE FUNCTION public.refuse();
"""


@contextmanager
def refusing_writes(kit: Kit) -> Iterator[None]:
    """
    Have the server of a store refuse writes, and answer what is read.

    A search server does it where its disk is full, a cache where its memory is and it
    may not evict. The PostgreSQL behind FerretDB is made read only. The second
    PostgreSQL says by a trigger what it says with a full disk: our sessions ask to
    write whatever the server's default is.
    """
    match kit.name, kit.store:
        case _, SearchStore() as store:
            block(store, True)
            try:
                yield
            finally:
                block(store, None)
        case "hot", _:
            with full_cache(kit.server.url):
                yield
        case _, PostgresStore() as store:
            with full_postgres(store):
                yield
        case _:
            assert isinstance(kit.server, DocumentsServer)
            with read_only_postgres(kit.server.behind.url):
                yield


def block(store: SearchStore, value: object) -> None:
    """Set the block that a server puts on each index where its disk is full."""
    name = "index.blocks.read_only_allow_delete"
    store.ask("PUT", f"/{store.prefix}-*/_settings", {name: value})


@contextmanager
def full_cache(url: str) -> Iterator[None]:
    client: Any = redis.Redis.from_url(url)
    names = ("maxmemory", "maxmemory-policy")
    before = {name: client.config_get(name)[name] for name in names}
    try:
        # The policy first: else it would evict.
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1mb")
        yield
    finally:
        for name, value in before.items():
            client.config_set(name, value)
        client.close()


@contextmanager
def full_postgres(store: PostgresStore) -> Iterator[None]:
    with psycopg.connect(**store.connection.target, autocommit=True) as session:
        session.execute(FULL)
        try:
            yield
        finally:
            session.execute("DROP FUNCTION public.refuse() CASCADE")


@contextmanager
def read_only_postgres(url: str) -> Iterator[None]:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(f"ALTER SYSTEM SET {READ_ONLY} = on")
        session.execute("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            session.execute(f"ALTER SYSTEM RESET {READ_ONLY}")
            session.execute("SELECT pg_reload_conf()")
