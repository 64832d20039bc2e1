"""
Real servers for the tests of read stores, each started once a session when it is asked
for.

A test that asks for one is of `stores`: `./recount test --stores` builds the programs
and runs them. `TEST_SEARCH_URL`, `TEST_DOCUMENTS_URL` and `TEST_CACHE_URL` name servers
to use instead.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from tests.stores.servers.building import Unavailable
from tests.stores.servers.cache import CacheServer
from tests.stores.servers.documents import DocumentsServer
from tests.stores.servers.postgres import PostgresServer, ReplicaServer
from tests.stores.servers.search import SearchServer
from tests.stores.servers.server import GivenServer, Server
from tests.support.databases import Databases

S = TypeVar("S", bound=Server)
MakeFolder = Callable[[str], Path]

SERVERS = (
    "search_server",
    "documents_server",
    "cache_server",
    "second_postgres",
    "replica",
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test that asks for a server, so that none is started without need."""
    for item in items:
        if set(getattr(item, "fixturenames", ())) & set(SERVERS):
            item.add_marker(pytest.mark.stores)


@pytest.fixture(scope="session")
def started() -> list[Server]:
    """The servers that this session has started so far."""
    return []


@pytest.fixture(autouse=True)
def _servers_in_service(started: list[Server]) -> Iterator[None]:
    """Bring the servers that a test has killed or paused back for the next one."""
    yield
    for server in started:
        server.ensure_running()


@pytest.fixture(scope="session")
def search_server(started: list[Server], make_folder: MakeFolder) -> Iterator[Server]:
    """OpenSearch, for all tests: each makes indexes whose names no other has."""
    folder = make_folder("search")
    with lend("TEST_SEARCH_URL", lambda: SearchServer(folder), started) as server:
        yield server


@pytest.fixture(scope="session")
def documents_server(
    started: list[Server], make_folder: MakeFolder
) -> Iterator[Server]:
    """FerretDB, for all tests: each uses a database whose name no other has."""
    folder = make_folder("documents")
    with lend("TEST_DOCUMENTS_URL", lambda: DocumentsServer(folder), started) as server:
        yield server


@pytest.fixture(scope="session")
def cache_server(started: list[Server], make_folder: MakeFolder) -> Iterator[Server]:
    """A Valkey that may evict and keeps nothing; tests may empty it."""
    folder = make_folder("cache")
    with lend("TEST_CACHE_URL", lambda: CacheServer(folder), started) as server:
        yield server


@pytest.fixture(scope="session")
def second_postgres(
    started: list[Server], make_folder: MakeFolder
) -> Iterator[PostgresServer]:
    """A second PostgreSQL; `Databases(sa.make_url(…url))` lends empty databases."""
    with running(PostgresServer(make_folder("second")), started) as server:
        yield server


@pytest.fixture(scope="session")
def replica(
    databases: Databases, started: list[Server], make_folder: MakeFolder
) -> Iterator[ReplicaServer]:
    """A standby of the tests' server; `url_for` gives a test's database there."""
    primary = databases.url.render_as_string(hide_password=False)
    server = ReplicaServer(make_folder("replica"), primary)
    if not server.can_reach:
        server.close()
        pytest.skip("needs PostgreSQL to run as this user, or root to have namespaces")
    with running(server, started):
        yield server


@pytest.fixture(scope="session")
def make_folder(tmp_path_factory: pytest.TempPathFactory) -> MakeFolder:
    """Make a folder of the session for a server."""
    return tmp_path_factory.mktemp


@contextmanager
def lend(
    variable: str, make: Callable[[], Server], started: list[Server]
) -> Iterator[Server]:
    """Yield the server that *variable* names, or one of our own."""
    if given := os.environ.get(variable):
        yield GivenServer(given)
        return
    try:
        server = make()
    except Unavailable as error:
        pytest.skip(str(error))
    with running(server, started):
        yield server


@contextmanager
def running(server: S, started: list[Server]) -> Iterator[S]:
    """Start *server*, note it among *started*, and stop it at the end."""
    try:
        server.start()
        started.append(server)
        yield server
    finally:
        server.close()
