"""The connection to a cache: short patience, no second try, and one kind of error."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.retry import Retry

from eventstore.errors.stores import StoreAway
from readmodels.stores.hot.scripts import Script

SECONDS = 0.2
"""How long connecting may take, and each answer."""
SCHEMES = ("redis", "rediss", "unix", "redis+socket")


def client_url(url: str) -> str:
    """
    Return *url* as redis-py reads it; Celery writes a socket as `redis+socket://`.

    Raises ValueError for another scheme, and for a database that is no number.
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError(f"a cache has a URL of {', '.join(SCHEMES)}")
    if parts.scheme == "redis+socket":
        number = int(parse_qs(parts.query).get("virtual_host", ["0"])[0])
        # redis-py takes what is left of the last @ for a password.
        owner, at, _ = parts.netloc.rpartition("@")
        return f"unix://{owner}{at}{parts.path}?db={number}"
    if parts.scheme != "unix":
        # redis-py takes what is no number for 0.
        int(unquote(parts.path).strip("/") or 0)
        _ = parts.port
    return url


class CacheConnection:
    """
    A client that is made when it is first used: by then a server has forked.

    *name* is that of the store, *url* one of `SCHEMES`; raises ValueError as
    `client_url` does. All threads of a process may use it.
    """

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = client_url(url)
        self._client: redis.Redis | None = None

    @property
    def client(self) -> Any:
        """The client; its errors become StoreAway within `answering`."""
        if self._client is None:
            # RESP2 without the library's name: nothing but AUTH and SELECT is sent
            # before the first question.
            self._client = redis.Redis.from_url(
                self.url,
                socket_connect_timeout=SECONDS,
                socket_timeout=SECONDS,
                retry=Retry(NoBackoff(), 0),
                protocol=2,
                driver_info=None,
            )
        return self._client

    @contextmanager
    def answering(self) -> Iterator[Any]:
        """Lend the client; its errors are raised as StoreAway."""
        try:
            yield self.client
        except (RedisError, OSError) as error:
            raise StoreAway(self.name, describe(error)) from error

    def run(self, script: Script, keys: list[str], arguments: list[Any]) -> Any:
        """Run *script* on the server, which may not know it. Raises StoreAway."""
        with self.answering() as client:
            try:
                return client.evalsha(script.sha, len(keys), *keys, *arguments)
            except NoScriptError:
                return client.eval(script.text, len(keys), *keys, *arguments)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


def describe(error: Exception) -> str:
    """Return what went wrong, without the arguments that some servers repeat."""
    kind = type(error).__name__
    code = str(error).partition(" ")[0]
    if isinstance(error, ResponseError) and code.isupper():
        return f"{kind} ({code[:20]})"
    return kind
