"""Check that the cache is not the broker, and that it is set up to evict."""

import os
from collections.abc import Iterator, Mapping
from typing import Any

import redis

from eventstore.ailment import Ailment
from eventstore.errors.stores import StoreAway
from readmodels.stores.hot.connection import SCHEMES, CacheConnection, client_url
from tasks.shop.bad_setting import BadSetting

NAME = "cache"
LATER = "PostgreSQL answers meanwhile"
EVICTING = "allkeys-lru"
LOOPBACK = ("localhost", "127.0.0.1", "::1")


def refuse_broker(cache_url: str, broker_url: str) -> None:
    """
    Raise BadSetting if both URLs name the same database of the same server.

    A cache evicts, and the broker must not: it would lose messages. What two addresses
    of one server hide is found by `check_cache`.
    """
    if is_redis(broker_url) and place_of(cache_url) == place_of(broker_url):
        raise BadSetting(
            "CACHE_URL: names the database of REDIS_URL, and a cache throws keys away"
            " that the broker must keep; give it a server of its own"
        )


def is_redis(broker_url: str) -> bool:
    return broker_url.partition("://")[0] in SCHEMES


def place_of(url: str) -> tuple[str, int, int]:
    """Return server, port and number of the database that *url* names."""
    pool = redis.ConnectionPool.from_url(client_url(url))
    named: Mapping[str, Any] = pool.connection_kwargs
    number = int(named.get("db") or 0)
    if path := named.get("path"):
        return os.path.realpath(path), 0, number
    host = str(named.get("host") or "localhost").lower()
    return (
        LOOPBACK[0] if host in LOOPBACK else host,
        int(named.get("port") or 6379),
        number,
    )


def check_cache(cache_url: str, broker_url: str) -> Iterator[Ailment]:
    """Yield what is wrong with the cache; none of it is fatal."""
    try:
        info = info_of(cache_url)
    except StoreAway as error:
        yield Ailment(
            NAME,
            f"the cache does not answer ({error.because}): {LATER}",
            "start it, or correct CACHE_URL; without CACHE_URL none is used",
        )
        return
    yield from of_server(info)
    if is_redis(broker_url):
        try:
            broker = info_of(broker_url)
        except StoreAway:
            # The check of the broker says so.
            return
        if info.get("run_id") and info.get("run_id") == broker.get("run_id"):
            yield Ailment(
                NAME,
                "CACHE_URL and REDIS_URL name the same server: maxmemory and its policy"
                " are those of the whole server, and messages must not be evicted",
                "give the cache a server of its own",
            )


def info_of(url: str) -> Mapping[str, Any]:
    """Return the INFO of the server. Raises StoreAway."""
    connection = CacheConnection(NAME, url)
    try:
        with connection.answering() as client:
            info: Mapping[str, Any] = client.info()
            return info
    finally:
        connection.close()


def of_server(info: Mapping[str, Any]) -> Iterator[Ailment]:
    """Yield what is wrong according to the INFO of a cache's server."""
    policy = str(info.get("maxmemory_policy", "noeviction"))
    most = int(info.get("maxmemory", 0))
    if not most:
        yield Ailment(
            NAME,
            "the cache has no maxmemory: it grows up to what was read or changed within"
            " a day",
            f"CONFIG SET maxmemory 256mb, with maxmemory-policy {EVICTING}",
        )
    elif policy == "noeviction":
        yield Ailment(
            NAME,
            "the cache has maxmemory-policy noeviction: where it is full it takes no"
            f" row, and {LATER}",
            f"CONFIG SET maxmemory-policy {EVICTING}",
        )
    if info.get("role", "master") != "master":
        yield Ailment(
            NAME,
            f"the cache is a replica and takes no row: {LATER}",
            "let CACHE_URL name the primary",
        )
    if int(info.get("cluster_enabled", 0)):
        yield Ailment(
            NAME,
            "the cache is a cluster, and a row is written together with a key of"
            f" another slot, which it refuses: {LATER}",
            "let CACHE_URL name a server without cluster mode",
        )
