"""Check that the broker keeps messages and permits the commands that we send."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import redis
from kombu import Connection
from kombu.exceptions import KombuError
from sqlalchemy.exc import OperationalError

from eventstore.ailment import Ailment
from tasks.broker.queues import QUEUES, queue_name
from tasks.shop.wiring import Shop

log = logging.getLogger(__name__)

NAME = "broker"
LATER = "commands run a second later meanwhile, by the relay"
OLDEST = (6, 2)
NEARLY_FULL = 0.9

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("LPUSH", "{queue}", "x"),
    ("RPUSH", "{queue}", "x"),
    ("RPOP", "{queue}"),
    ("BRPOP", "{queue}", "1"),
    ("LLEN", "{queue}"),
    ("SADD", "_kombu.binding.{queue}", "x"),
    ("SMEMBERS", "_kombu.binding.{queue}"),
    ("HSET", "unacked", "x", "x"),
    ("HGET", "unacked", "x"),
    ("HDEL", "unacked", "x"),
    ("ZADD", "unacked_index", "1", "x"),
    ("ZREM", "unacked_index", "x"),
    ("ZREVRANGEBYSCORE", "unacked_index", "1", "0"),
    ("SET", "unacked_mutex", "x"),
    ("GET", "unacked_mutex"),
    ("DEL", "unacked_mutex"),
    ("EXPIRE", "unacked_mutex", "1"),
)
"""The commands that the transport sends to Redis, each with one of its keys."""


def warn_of_broker(shop: Shop) -> None:
    """Log faults of the broker as warnings: they delay commands, and lose none."""
    try:
        for ailment in check_broker(shop.settings.broker_url, shop.identity):
            log.warning("%s: %s; %s", ailment.check, ailment.what, ailment.remedy)
    except OperationalError as error:
        log.warning("the broker is not looked at error=%s", type(error).__name__)
    finally:
        # A connection opened here must not be shared with a forked process.
        shop.engine.dispose()


def publishing_limits(broker_url: str) -> dict[str, Any]:
    """Return the transport's options: 0.5 seconds to connect and to answer."""
    limits: dict[str, Any] = {
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.1,
        "interval_max": 0.1,
    }
    if broker_url.startswith(("redis", "rediss")):
        limits |= {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}
    return limits


def check_broker(broker_url: str, identity: str) -> Iterator[Ailment]:
    """
    Yield what is wrong with the broker; none of it is fatal, the journal has it all.

    A RabbitMQ is checked only for whether it answers.
    """
    errors: Any = (*Connection(broker_url).connection_errors, KombuError, OSError)
    try:
        with Connection(
            broker_url,
            connect_timeout=1,
            transport_options=publishing_limits(broker_url),
        ) as connection:
            connection.ensure_connection(max_retries=1, timeout=1)
            if not broker_url.startswith("redis"):
                return
            channel: Any = connection.default_channel
            yield from check_redis(channel.client, queue_name(QUEUES[0], identity))
    except errors as error:
        yield Ailment(
            NAME,
            f"the broker does not answer ({type(error).__name__}): {LATER}",
            "start it, or correct REDIS_URL",
        )


def check_redis(client: redis.Redis, queue: str) -> Iterator[Ailment]:
    found: list[Ailment] = []
    try:
        found += of_server(client.info())
    except redis.exceptions.NoPermissionError:
        found.append(of_rights(["INFO"]))
    refused, other = refusals(client, queue)
    if refused:
        found.append(of_rights(refused))
    if other and not found:
        # Redis refuses writes: a full disk, for example.
        what = f"Redis takes no message ({other}): {LATER}"
        found.append(Ailment(NAME, what, "its log says why; mend that"))
    yield from found


def of_server(info: Mapping[str, Any]) -> Iterator[Ailment]:
    """Yield what is wrong according to the INFO of a Redis."""
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        yield Ailment(
            NAME,
            f"Redis has maxmemory-policy {policy}: where it is full it throws messages"
            f" away, and {LATER}",
            "CONFIG SET maxmemory-policy noeviction, and in its configuration file",
        )
    most, used = int(info.get("maxmemory", 0)), int(info.get("used_memory", 0))
    if most and used > NEARLY_FULL * most:
        yield Ailment(
            NAME,
            f"Redis uses {used:,} bytes of its maxmemory {most:,}: where it is full it"
            f" takes no message, and {LATER}",
            "raise maxmemory, or set it to 0",
        )
    if info.get("role", "master") != "master":
        yield Ailment(
            NAME,
            f"this Redis is a replica of {info.get('master_host', 'another')} and takes"
            f" no message: {LATER}",
            "let REDIS_URL name the primary",
        )
    if int(info.get("cluster_enabled", 0)):
        yield Ailment(
            NAME,
            "this Redis is a cluster: Celery asks for keys of several slots at once,"
            f" which it refuses; {LATER}",
            "let REDIS_URL name one without cluster mode",
        )
    version = str(info.get("redis_version", ""))
    with suppress(ValueError):
        if version and tuple(map(int, version.split(".")[:2])) < OLDEST:
            yield Ailment(NAME, f"this Redis is {version}", "take 6.2 or newer")


def of_rights(refused: list[str]) -> Ailment:
    return Ailment(
        NAME,
        f"Redis refuses its user {', '.join(refused)}: {LATER}",
        f"ACL SETUSER … {' '.join(f'+{name.lower()}' for name in refused)} ~*",
    )


def refusals(client: redis.Redis, queue: str) -> tuple[list[str], str]:
    """
    Return the commands that the Redis user may not send, and another refusal or "".

    They are sent in a transaction that is then discarded: Redis checks rights to
    commands and keys as it queues a command, and runs none.
    """
    refused: list[str] = []
    others: list[str] = []
    connection: Any = client.connection_pool.get_connection()

    def ask(*command: str) -> None:
        connection.send_command(*command)
        try:
            connection.read_response()
        except redis.exceptions.NoPermissionError:
            refused.append(command[0])
        except redis.exceptions.ResponseError as error:
            others.append(type(error).__name__)

    try:
        ask("MULTI")
        if not refused:
            for name, *arguments in COMMANDS:
                ask(name, *(argument.format(queue=queue) for argument in arguments))
            ask("DISCARD")
    finally:
        connection.disconnect()
        client.connection_pool.release(connection)
    return list(dict.fromkeys(refused)), others[0] if others else ""
