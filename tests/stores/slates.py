"""One value in each of the servers, written and read by the client of its kind."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

import psycopg
import pymongo
import redis
from elastic_transport import Transport
from elastic_transport import TransportError as SearchAway
from elastic_transport.client_utils import url_to_node_config
from pymongo.errors import PyMongoError

from tests.stores.servers.server import Server

MANY, FEW = 20.0, 0.5
"""Seconds that a client waits for a server that works, and for one that is paused."""


@dataclass(frozen=True, slots=True)
class Slate:
    """One value in a server: written, and read as it was last written."""

    server: Server
    write: Callable[[str], None]
    read_within: Callable[[float], str | None]
    errors: tuple[type[Exception], ...]
    """What reading raises where the server does not answer in so many seconds."""
    close: Callable[[], object] = lambda: None

    def read(self) -> str | None:
        return self.read_within(MANY)


def slate_in_search(server: Server) -> Slate:
    index = f"slate-{uuid4().hex[:12]}"
    transport = Transport([url_to_node_config(server.url)], max_retries=0)
    headers = {"accept": "application/json", "content-type": "application/json"}

    def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        asked = transport.perform_request(
            method, path, body=body, headers=headers, request_timeout=MANY
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

    def read(seconds: float) -> str | None:
        # By a search: it fails where the index is not ready yet.
        query: dict[str, Any] = {"query": {"match_all": {}}}
        answer = transport.perform_request(
            "POST",
            f"/{index}/_search",
            body=query,
            headers=headers,
            request_timeout=seconds,
        )
        if answer.meta.status == 404:
            return None
        assert answer.meta.status == 200, answer.body
        return value_of([hit["_source"] for hit in answer.body["hits"]["hits"]])

    return Slate(server, write, read, (SearchAway,), transport.close)


def slate_in_documents(server: Server) -> Slate:
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(
        server.url, timeoutMS=round(MANY * 1000)
    )
    name = f"slate_{uuid4().hex[:12]}"
    found = client[name].slate

    def write(value: str) -> None:
        found.replace_one({"_id": 1}, {"_id": 1, "value": value}, upsert=True)

    def read(seconds: float) -> str | None:
        with pymongo.timeout(seconds):
            return value_of(list(found.find()))

    return Slate(server, write, read, (PyMongoError,), client.close)


def slate_in_cache(server: Server) -> Slate:
    client = redis.Redis.from_url(server.url, decode_responses=True)
    key = f"slate-{uuid4().hex[:12]}"

    def write(value: str) -> None:
        client.set(key, value)

    def read(seconds: float) -> str | None:
        with redis.Redis.from_url(
            server.url, socket_timeout=seconds, decode_responses=True
        ) as reader:
            return cast(str | None, reader.get(key))

    return Slate(server, write, read, (redis.RedisError,), client.close)


def slate_in_postgres(server: Server) -> Slate:
    table = f"slate_{uuid4().hex[:12]}"

    def write(value: str) -> None:
        with psycopg.connect(server.url) as connection:
            connection.execute(f"CREATE TABLE IF NOT EXISTS {table} (value text)")
            connection.execute(f"DELETE FROM {table}")
            connection.execute(f"INSERT INTO {table} VALUES (%s)", [value])

    def read(seconds: float) -> str | None:
        # The client's own limit: a paused server does not mind one of its own.
        with psycopg.connect(server.url, connect_timeout=round(seconds + 1)) as session:
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
