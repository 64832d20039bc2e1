"""What is wrong with a broker is told, with what to do; none of it loses a command."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis

from embedded.binaries import redis_server
from tasks.broker.checks import COMMANDS, check_broker, of_server, warn_of_broker
from tasks.shop.identity import identity_of
from tasks.shop.wiring import Shop
from tests.support.engine import connect
from tests.support.processes import Process, connects
from tests.support.waiting import wait_until

IDENTITY = "0123456789ab"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of a Redis of these tests' own."""
    folder = Path(tempfile.mkdtemp(prefix="recount-"))
    path = folder / "redis.sock"
    options = ("--port", "0", "--unixsocket", str(path), "--save", "")
    program = [str(redis_server(os.environ)), *options, "--dir", str(folder)]
    server = Process("redis", program, dict(os.environ), folder / "redis.log")
    server.start()
    wait_until(lambda: connects(str(path)), "redis answers")
    yield f"redis+socket://{path}"
    server.kill()
    shutil.rmtree(folder)


@pytest.fixture
def broker(url: str) -> Iterator[redis.Redis]:
    with redis.Redis(unix_socket_path=url.removeprefix("redis+socket://")) as client:
        yield client
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "0")
        client.replicaof("NO", "ONE")


def allow(broker: Any, *rules: str) -> None:
    """Change what whoever connects may do."""
    broker.execute_command("ACL", "SETUSER", "default", *rules)


def told(url: str) -> list[str]:
    return [ailment.what for ailment in check_broker(url, IDENTITY)]


def test_a_redis_as_up_starts_it_is_no_finding(broker: redis.Redis, url: str) -> None:
    assert told(url) == []


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-lru", "allkeys-random"])
def test_one_that_throws_messages_away_is_told(
    broker: redis.Redis, url: str, policy: str
) -> None:
    broker.config_set("maxmemory-policy", policy)
    (ailment,) = check_broker(url, IDENTITY)

    assert f"Redis has maxmemory-policy {policy}" in ailment.what
    assert "maxmemory-policy noeviction" in ailment.remedy
    assert not ailment.is_fatal


def test_one_that_is_nearly_full_is_told(broker: redis.Redis, url: str) -> None:
    used = int(broker.info("memory")["used_memory"])
    broker.config_set("maxmemory", str(used + used // 50))

    assert "of its maxmemory" in told(url)[0]


def test_a_replica_is_told(broker: redis.Redis, url: str) -> None:
    broker.replicaof("127.0.0.1", "1")

    assert "is a replica of 127.0.0.1 and takes no message" in told(url)[0]


@pytest.mark.parametrize(
    ("info", "what"),
    [
        ({"cluster_enabled": 1}, "is a cluster"),
        ({"redis_version": "6.0.16"}, "this Redis is 6.0.16"),
        ({"redis_version": "5.0.7"}, "this Redis is 5.0.7"),
    ],
)
def test_what_a_redis_says_of_itself_is_told(info: dict[str, Any], what: str) -> None:
    (ailment,) = of_server(info)

    assert what in ailment.what


@pytest.mark.parametrize("version", ["6.2.14", "7.2.4", "8.0.1", "unknown"])
def test_versions_that_are_new_enough_are_no_finding(version: str) -> None:
    assert list(of_server({"redis_version": version})) == []


@pytest.mark.parametrize(
    "refused", sorted({name for name, *_ in COMMANDS} | {"INFO", "MULTI"})
)
def test_a_user_without_a_command_that_is_needed_is_told(
    broker: redis.Redis, url: str, refused: str
) -> None:
    allow(broker, f"-{refused.lower()}")
    try:
        (ailment,) = check_broker(url, IDENTITY)
    finally:
        allow(broker, "+@all")

    assert f"Redis refuses its user {refused}" in ailment.what
    assert f"+{refused.lower()}" in ailment.remedy
    assert broker.dbsize() == 0


def test_a_user_who_may_not_touch_the_queues_is_told(
    broker: redis.Redis, url: str
) -> None:
    allow(broker, "resetkeys", "~unacked*")
    try:
        what = told(url)
    finally:
        allow(broker, "~*")

    assert "Redis refuses its user LPUSH" in what[0]


@pytest.mark.parametrize("scheme", ["redis+socket:///nowhere", "amqp://127.0.0.1:1"])
def test_a_broker_that_is_away_is_told(scheme: str) -> None:
    (what,) = told(scheme)

    assert "the broker does not answer" in what


def test_a_process_that_begins_logs_it(
    shop: Shop, broker: redis.Redis, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    broker.config_set("maxmemory-policy", "allkeys-lru")
    warn_of_broker(replace(shop, settings=replace(shop.settings, broker_url=url)))

    assert "broker: Redis has maxmemory-policy allkeys-lru" in caplog.text


def test_each_database_is_another_shop_whoever_asks(
    shop: Shop, databases: Any, database: str
) -> None:
    with databases.lend() as other, connect(other) as connection:
        others = identity_of(connection)
    with connect(database) as connection:
        own = identity_of(connection)

    assert own == shop.identity
    assert own != others
