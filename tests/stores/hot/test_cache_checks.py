"""The broker's database is refused as a cache, and one that cannot evict is named."""

import pytest
import redis

from tasks.shop.bad_setting import BadSetting
from tasks.stores.cache_checks import check_cache, of_server, refuse_broker
from tests.stores.servers.server import Server

SAME = [
    ("redis://localhost", "redis://127.0.0.1:6379/0"),
    ("redis://u:p@H:1/2", "redis://h:1/2"),
    ("rediss://h/3", "redis://h/3"),
    ("unix:///tmp/a.sock", "redis+socket:///tmp/../tmp/a.sock"),
    ("unix:///tmp/a.sock?db=2", "redis+socket:///tmp/a.sock?virtual_host=2"),
]
DIFFERENT = [
    ("redis://h/1", "redis://h/0"),
    ("redis://h:6380", "redis://h"),
    ("redis://a", "redis://b"),
    ("unix:///tmp/a.sock", "redis+socket:///tmp/b.sock"),
    ("unix:///tmp/a.sock?db=1", "redis+socket:///tmp/a.sock"),
    ("redis://h", "amqp://h"),
]


@pytest.mark.parametrize(("cache", "broker"), SAME)
def test_the_brokers_database_is_no_cache(cache: str, broker: str) -> None:
    with pytest.raises(BadSetting, match=r"CACHE_URL.*REDIS_URL") as raised:
        refuse_broker(cache, broker)
    assert "u:p" not in str(raised.value)


@pytest.mark.parametrize(("cache", "broker"), DIFFERENT)
def test_another_database_may_be_one(cache: str, broker: str) -> None:
    refuse_broker(cache, broker)


def test_a_cache_of_its_own_that_evicts_is_well(cache_server: Server) -> None:
    assert list(check_cache(cache_server.url, "amqp://nowhere")) == []


def test_the_brokers_server_is_found_behind_another_database(
    cache_server: Server,
) -> None:
    broker = f"{cache_server.url.rpartition('/')[0]}/1"
    refuse_broker(cache_server.url, broker)
    [found] = check_cache(cache_server.url, broker)

    assert "the same server" in found.what
    assert not found.is_fatal


def test_a_cache_that_may_not_evict_is_named(cache_server: Server) -> None:
    client = redis.Redis.from_url(cache_server.url)
    client.config_set("maxmemory-policy", "noeviction")
    try:
        [found] = check_cache(cache_server.url, "amqp://nowhere")
    finally:
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.close()

    assert "noeviction" in found.what


def test_a_cache_that_is_away_is_named(cache_server: Server) -> None:
    cache_server.kill()
    [found] = check_cache(cache_server.url, cache_server.url)

    assert "does not answer (ConnectionError)" in found.what


def test_a_replica_a_cluster_and_one_without_a_bound_are_named() -> None:
    info = {"role": "slave", "cluster_enabled": 1, "maxmemory": 0}
    whats = [ailment.what for ailment in of_server(info)]

    assert len(whats) == 3
