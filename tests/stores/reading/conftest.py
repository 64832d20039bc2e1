"""A shop on a server of its own, which may be killed, and a standby of that server."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
import sqlalchemy as sa

from tasks.shop.setting_values import database_url
from tasks.shop.settings import Settings
from tests.stores.conftest import MakeFolder, running
from tests.stores.servers.postgres import PostgresServer, ReplicaServer
from tests.stores.servers.server import Server
from tests.support.beating import beating
from tests.support.databases import Databases, as_role
from tests.support.settings import settings_for
from tests.support.visiting import Place


@pytest.fixture(scope="session")
def standby(
    second_postgres: PostgresServer, started: list[Server], make_folder: MakeFolder
) -> Iterator[ReplicaServer]:
    """A standby of the second server: the first one is also other tests'."""
    server = ReplicaServer(make_folder("standby"), second_postgres.url)
    with running(server, started):
        yield server


@pytest.fixture
def database(second_postgres: PostgresServer, standby: ReplicaServer) -> Iterator[str]:
    """The URL of a migrated, empty database on the server that has the standby."""
    databases = Databases(sa.make_url(database_url(second_postgres.url)))
    try:
        with databases.lend() as url:
            with beating(url.replace("+psycopg", "")):
                yield url
            second_postgres.ensure_running()
            databases.engine.dispose()
    finally:
        databases.close()


@pytest.fixture
def settings(database: str, standby: ReplicaServer) -> Settings:
    """Settings of a shop whose queries are asked of the standby."""
    there = as_role(database_url(standby.url_for(database)), "web")
    return replace(settings_for(database), replica_database_url=there)


@pytest.fixture
def order(alice: str, place: Place, standby: ReplicaServer) -> int:
    """An order that the standby has."""
    number = place("paid")
    # A server that is killed starts soon if it has nothing to do again.
    for url in (standby.connection_string(), standby.url):
        standby.catch_up()
        with psycopg.connect(url, autocommit=True) as link:
            link.execute("CHECKPOINT")
    return number
