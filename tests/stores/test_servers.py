"""
The servers of the tests really write and read, and come back as their verbs say.

They stand for families of servers. Of these only OpenSearch 2.19, FerretDB 1.24, Valkey
9.1 and PostgreSQL 18 ever ran here: not Elasticsearch 8 or 9, and not MongoDB 7 or 8.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import psycopg
import pymongo
import pytest
import redis
from elastic_transport import Transport
from elastic_transport import TransportError as SearchAway
from elastic_transport.client_utils import url_to_node_config
from pymongo.errors import PyMongoError

from tests.stores.servers.cache import CacheServer
from tests.stores.servers.postgres import PostgresServer, ReplicaServer
from tests.stores.servers.server import Server

pytestmark = pytest.mark.stores

SECONDS = 0.5
"""How long a client of these tests waits for a paused server."""


@dataclass(frozen=True, slots=True)
class Slate:
    """One value in a server: written, and read as it was last written."""

    server: Server
    write: Callable[[str], None]
    read: Callable[[], str | None]
    errors: tuple[type[Exception], ...]
    """What `read` raises where the server does not answer."""
    close: Callable[[], object] = lambda: None


def slate_in_search(server: Server) -> Slate:
    index = f"slate-{uuid4().hex[:12]}"
    transport = Transport([url_to_node_config(server.url)], max_retries=0)
    headers = {"accept": "application/json", "content-type": "application/json"}

    def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        asked = transport.perform_request(
            method, path, body=body, headers=headers, request_timeout=SECONDS * 10
        )
        return asked.meta.status, asked.body

    def write(value: str) -> None:
        if ask("HEAD", f"/{index}")[0] == 404:
            made, told = ask("PUT", f"/{index}", {"mappings": {"dynamic": "strict"}})
            assert made == 200, told
            mapped, told = ask(
                "PUT",
                f"/{index}/_mapping",
                {"properties": {"value": {"type": "keyword"}}},
            )
            assert mapped == 200, told
        status, told = ask("PUT", f"/{index}/_doc/1?refresh=true", {"value": value})
        assert status in (200, 201), told

    def read() -> str | None:
        # By a search: it fails where the index is not ready yet.
        query: dict[str, Any] = {"query": {"match_all": {}}}
        answer = transport.perform_request(
            "POST",
            f"/{index}/_search",
            body=query,
            headers=headers,
            request_timeout=SECONDS,
        )
        if answer.meta.status == 404:
            return None
        assert answer.meta.status == 200, answer.body
        return value_of([hit["_source"] for hit in answer.body["hits"]["hits"]])

    return Slate(server, write, read, (SearchAway,), transport.close)


def slate_in_documents(server: Server) -> Slate:
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        server.url, timeoutMS=5000
    )
    name = f"slate_{uuid4().hex[:12]}"
    found = client[name].slate

    def write(value: str) -> None:
        found.replace_one({"_id": 1}, {"_id": 1, "value": value}, upsert=True)

    def read() -> str | None:
        with pymongo.timeout(SECONDS):
            return value_of(list(found.find()))

    return Slate(server, write, read, (PyMongoError,), client.close)


def slate_in_cache(server: Server) -> Slate:
    client = redis.Redis.from_url(
        server.url, socket_timeout=SECONDS, decode_responses=True
    )
    key = f"slate-{uuid4().hex[:12]}"

    def write(value: str) -> None:
        client.set(key, value)

    def read() -> str | None:
        return cast(str | None, client.get(key))

    return Slate(server, write, read, (redis.RedisError,), client.close)


def slate_in_postgres(server: Server) -> Slate:
    table = f"slate_{uuid4().hex[:12]}"

    def write(value: str) -> None:
        with psycopg.connect(server.url) as connection:
            connection.execute(f"CREATE TABLE IF NOT EXISTS {table} (value text)")
            connection.execute(f"DELETE FROM {table}")
            connection.execute(f"INSERT INTO {table} VALUES (%s)", [value])

    def read() -> str | None:
        options = f"-c statement_timeout={SECONDS * 1000:.0f}"
        with psycopg.connect(server.url, connect_timeout=2, options=options) as session:
            named = session.execute("SELECT to_regclass(%s)", [table]).fetchone()
            if named == (None,):
                return None
            rows = session.execute(f"SELECT value FROM {table}").fetchall()
            return value_of([{"value": value} for (value,) in rows])

    return Slate(server, write, read, (psycopg.OperationalError,))


def value_of(rows: list[dict[str, Any]]) -> str | None:
    assert len(rows) <= 1
    return str(rows[0]["value"]) if rows else None


KINDS = {
    "search_server": slate_in_search,
    "documents_server": slate_in_documents,
    "cache_server": slate_in_cache,
    "second_postgres": slate_in_postgres,
}
DURABLE = sorted(KINDS.keys() - {"cache_server"})


@pytest.fixture(params=KINDS)
def slate(request: pytest.FixtureRequest) -> Iterator[Slate]:
    with closing(KINDS[request.param](request.getfixturevalue(request.param))) as slate:
        yield slate


@pytest.fixture(params=DURABLE)
def durable(request: pytest.FixtureRequest) -> Iterator[Slate]:
    """A slate in a server that keeps what it has acknowledged."""
    with closing(KINDS[request.param](request.getfixturevalue(request.param))) as slate:
        yield slate


def test_what_is_written_is_read(slate: Slate) -> None:
    assert slate.read() is None

    slate.write("one")
    assert slate.read() == "one"

    slate.write("two")
    assert slate.read() == "two"


def test_what_was_acknowledged_outlives_a_kill(durable: Slate) -> None:
    durable.write("kept")

    durable.server.kill()
    with pytest.raises(durable.errors):
        durable.read()
    durable.server.start()

    assert durable.read() == "kept"


def test_a_restart_keeps_address_and_data(durable: Slate) -> None:
    durable.write("kept")
    url = durable.server.url

    durable.server.restart()

    assert durable.server.url == url
    assert durable.read() == "kept"


def test_a_paused_server_does_not_answer_until_it_goes_on(slate: Slate) -> None:
    slate.write("there")

    slate.server.pause()
    with pytest.raises(slate.errors):
        slate.read()
    slate.server.resume()

    assert slate.read() == "there"


def test_an_older_copy_of_the_data_can_be_put_in_its_place(
    durable: Slate, tmp_path: Path
) -> None:
    durable.write("older")
    durable.server.save(tmp_path / "copy")
    durable.write("newer")

    durable.server.restore(tmp_path / "copy")

    assert durable.read() == "older"


def test_an_emptied_server_starts_with_nothing(slate: Slate) -> None:
    slate.write("lost")

    slate.server.empty()

    assert slate.read() is None


def test_a_cache_keeps_nothing_over_a_restart(cache_server: CacheServer) -> None:
    with closing(slate_in_cache(cache_server)) as slate:
        slate.write("lost")

        cache_server.restart()

        assert slate.read() is None


def test_a_cache_forgets_what_has_no_room(cache_server: CacheServer) -> None:
    with redis.Redis.from_url(cache_server.url) as client:
        for number in range(80):
            client.set(f"large-{number}", b"x" * (1 << 20))

        assert 0 < cast(int, client.dbsize()) < 80


def test_the_replica_has_the_databases_of_the_primary_read_only(
    replica: ReplicaServer, database: str
) -> None:
    replica.catch_up()
    here, there = plain(database), replica.url_for(database)

    with psycopg.connect(here, autocommit=True) as primary:
        primary.execute("CREATE TABLE slate (value text)")
        primary.execute("INSERT INTO slate VALUES ('one')")
    replica.catch_up()

    with psycopg.connect(there, autocommit=True) as standby:
        assert standby.execute("SELECT value FROM slate").fetchall() == [("one",)]
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            standby.execute("INSERT INTO slate VALUES ('two')")


def test_a_replica_that_was_away_gets_what_it_missed(
    replica: ReplicaServer, database: str
) -> None:
    replica.kill()
    with psycopg.connect(plain(database), autocommit=True) as primary:
        primary.execute("CREATE TABLE slate (value text)")
    replica.start()
    replica.catch_up()

    with psycopg.connect(replica.url_for(database)) as standby:
        assert standby.execute("SELECT count(*) FROM slate").fetchone() == (0,)


def test_an_emptied_replica_is_copied_from_the_primary_again(
    replica: ReplicaServer, database: str
) -> None:
    replica.empty()
    replica.catch_up()

    with psycopg.connect(replica.url_for(database)) as standby:
        assert standby.execute("SELECT 1").fetchone() == (1,)


def test_the_replica_is_the_primary_s_copy_and_the_second_postgres_is_another(
    replica: ReplicaServer, second_postgres: PostgresServer, database: str
) -> None:
    query = "SELECT system_identifier FROM pg_control_system()"

    def identify(url: str) -> object:
        with psycopg.connect(url) as session:
            return session.execute(query).fetchone()

    assert identify(replica.url) == identify(plain(database))
    assert identify(second_postgres.url) != identify(plain(database))


def plain(url: str) -> str:
    """Return a URL of SQLAlchemy as psycopg takes it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)
