"""Messages are dropped, doubled, reordered, delayed; others are none of ours."""

import base64
import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

import redis

from tasks.broker.queues import QUEUES
from tests.faults.desk import Desk
from tests.faults.kind import BLOW, MISSED, Kind, Seconds, Strike

PATIENCE = 1.5
AWAY: Seconds = (0.5, 4.0)


def intercept(broker: redis.Redis, queue: str, most: int) -> list[bytes]:
    """
    Return messages that were on their way to a worker, which does not get them.

    Waiting in line with the workers, as a message that is waited for is in no list.
    """
    until = time.monotonic() + PATIENCE
    caught: list[bytes] = []
    while len(caught) < most and time.monotonic() < until:
        if found := broker.brpop(queue, timeout=0.1):
            message = found[1]
            assert isinstance(message, bytes)
            caught.append(message)
    return caught


@contextmanager
def drop(desk: Desk, chance: Random) -> Iterator[str]:
    with desk.broker() as broker:
        caught = intercept(broker, desk.queue("commands"), chance.randint(1, 50))
    yield f"{len(caught)} dropped" if caught else f"{MISSED}: no message"


@contextmanager
def delay(desk: Desk, chance: Random) -> Iterator[str]:
    with desk.broker() as broker:
        caught = intercept(broker, desk.queue("commands"), chance.randint(1, 50))
    try:
        yield f"{len(caught)} delayed" if caught else f"{MISSED}: no message"
    finally:
        if caught:
            with desk.broker() as broker:
                broker.lpush(desk.queue("commands"), *caught)


@contextmanager
def double(desk: Desk, chance: Random) -> Iterator[str]:
    with desk.broker() as broker:
        caught = intercept(broker, desk.queue("commands"), 1)
        if caught:
            broker.lpush(desk.queue("commands"), *caught * 100)
    yield "one message 100 times" if caught else f"{MISSED}: no message"


@contextmanager
def reorder(desk: Desk, chance: Random) -> Iterator[str]:
    with desk.broker() as broker:
        caught = intercept(broker, desk.queue("commands"), 20)
        chance.shuffle(caught)
        if caught:
            broker.lpush(desk.queue("commands"), *caught)
    yield f"{len(caught)} shuffled" if caught else f"{MISSED}: no message"


def slipping_in(make: Callable[[Random], bytes]) -> Strike:
    """Put a few messages that nobody of the shop has sent into one of its queues."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        queue = chance.choice(QUEUES)
        count = chance.randint(1, 5)
        with desk.broker() as broker:
            broker.lpush(desk.queue(queue), *(make(chance) for _ in range(count)))
        yield f"{count} in {queue}"

    return strike


def raw_bytes(chance: Random) -> bytes:
    return b"\xff\x00" + chance.randbytes(chance.randint(0, 200))


def json_list(chance: Random) -> bytes:
    return b"[1, 2, 3]"


def bad_headers(chance: Random) -> bytes:
    """Return a message whose headers are missing, or no headers."""
    message = task("execute", [[identity(chance)]], chance)
    message["headers"] = chance.choice([None, [], "headers", {}, {"task": 7}])
    return json.dumps(message).encode()


def unknown_task(chance: Random) -> bytes:
    return json.dumps(task("nobody.knows_it", [], chance)).encode()


def unknown_command(chance: Random) -> bytes:
    """Return a task of ours for a command that nobody has accepted."""
    return json.dumps(task("execute", [[identity(chance)]], chance)).encode()


def bad_arguments(chance: Random) -> bytes:
    wrong: list[list[Any]] = [[], [7], [["no id"]], [[]], [[None]], [{}, {}]]
    arguments = chance.choice(wrong)
    return json.dumps(task("execute", arguments, chance)).encode()


def identity(chance: Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def task(name: str, arguments: Sequence[Any], chance: Random) -> dict[str, Any]:
    """Return a message as Celery writes it."""
    own_id = identity(chance)
    body = json.dumps([arguments, {}, {}]).encode()
    return {
        "body": base64.b64encode(body).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": name, "id": own_id, "root_id": own_id},
        "properties": {
            "correlation_id": own_id,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": "commands"},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": identity(chance),
        },
    }


KINDS = (
    Kind("drop messages", BLOW, drop),
    Kind("delay messages", AWAY, delay),
    Kind("double a message", BLOW, double),
    Kind("reorder messages", BLOW, reorder),
    Kind("bytes in the queue", BLOW, slipping_in(raw_bytes)),
    Kind("a list in the queue", BLOW, slipping_in(json_list)),
    Kind("bad headers in the queue", BLOW, slipping_in(bad_headers)),
    Kind("an unknown task", BLOW, slipping_in(unknown_task)),
    Kind("an unknown command", BLOW, slipping_in(unknown_command)),
    Kind("bad arguments of a task", BLOW, slipping_in(bad_arguments)),
)
