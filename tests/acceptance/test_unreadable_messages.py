"""What others put into the broker's queue: a worker leaves it out, and lives."""

import base64
import json
import random
from typing import Any

import pytest
import redis

from tasks.app import app
from tasks.consumer import ours
from tasks.shop.wiring import Shop
from tests.faults.breaking.messages import task
from tests.support.client import client_of
from tests.support.orders import ALICE
from tests.support.processes import Processes
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

UNKNOWN = "5ab1ec0d-0000-4000-8000-000000000001"


def told(**changed: Any) -> bytes:
    """Return a task of ours with something else in the place of what Celery wrote."""
    message = task("execute", [[UNKNOWN]], random.Random(7))
    return json.dumps(message | changed).encode()


def with_headers(**changed: Any) -> bytes:
    return told(headers={"lang": "py", "task": "execute", "id": UNKNOWN} | changed)


def with_body(body: bytes) -> bytes:
    return told(body=base64.b64encode(body).decode())


def nested(text: str, depth: int = 100_000) -> bytes:
    """Return JSON that is nested so deeply that Python gives up reading it."""
    opening, closing = text.split("…")
    return (opening * depth + "7" + closing * depth).encode()


KEEPS_A_CHILD = [
    with_headers(timelimit="none"),
    with_headers(timelimit="ab"),
    with_headers(timelimit=["a", None]),
    with_headers(stamps=7, stamped_headers=3),
    with_headers(id=["x"]),
]
GARBAGE = [
    b"\xff\x00 no text",
    b"no JSON",
    b"[1, 2, 3]",
    b"7",
    b"{}",
    told(properties=None),
    told(properties={"delivery_tag": "1"}),
    told(properties={"delivery_tag": None}),
    told(properties={"delivery_tag": True}),
    told(body="no base64"),
    told(headers=None),
    told(headers=[]),
    told(headers={}),
    told(headers={"task": 7}),
    told(headers={"task": ["execute"]}),
    told(headers={"task": "execute"}),
    told(headers={"task": "nobody.knows_it", "id": UNKNOWN}),
    told(headers={"task": "execute", "id": UNKNOWN, "eta": "tomorrow"}),
    told(headers={"task": "execute", "id": UNKNOWN, "expires": []}),
    told(headers={"task": "execute", "id": UNKNOWN, "timelimit": "none"}),
    told(),
    # What reading raises is no ValueError: RecursionError, MemoryError, OverflowError.
    nested("[…]"),
    nested('{"headers":…}'),
    b'{"headers": ' + nested("[…]") + b"}",
    with_body(nested("[…]")),
    with_body(b"[[[" + nested("[…]") + b"]], {}, {}]"),
    with_body(b"[[[" + b"9" * 100_000 + b"]], {}, {}]"),
    told(
        properties={"delivery_tag": "x", "body_encoding": "base64", "priority": 1e999}
    ),
    told(headers={"task": "execute", "id": "\ud800"}),
    told(**{"content-encoding": "utf-16"}),
    told(**{"content-encoding": "nobody-knows-it"}),
    told(**{"content-type": "application/x-python-serialize"}),
    told(body="7" * 30_000_000),
    with_headers(task="7" * 10_000_000),
    with_headers(argsrepr="7" * 10_000_000),
]


def test_a_worker_outlives_what_it_cannot_read(processes: Processes) -> None:
    processes.redis()
    worker = processes.worker()
    first = worker.running
    path = str(processes.folder / "redis.sock")
    address = processes.web()
    assert first is not None
    with redis.Redis(unix_socket_path=path) as broker:
        for number, garbage in enumerate(GARBAGE):
            broker.lpush(processes.queue("commands"), garbage)
            # Behind it in the queue, and there is no relay that would run it. By a
            # connection of its own: the server closes one that rests.
            with client_of(address) as client:
                sent = client.send(
                    "RegisterCustomer", ALICE | {"customer_id": f"N{number}"}
                )
                client.wait_for(sent.command_id, seconds=10)
            assert first.poll() is None, garbage[:200]

        wait_until(lambda: broker.hlen("unacked") == 0, "all of them are done with")
        assert "unreadable message left out" in worker.text()


def test_no_header_of_a_message_keeps_a_child(processes: Processes) -> None:
    processes.redis()
    worker = processes.worker(concurrency=1)
    path = str(processes.folder / "redis.sock")
    with (
        redis.Redis(unix_socket_path=path) as broker,
        client_of(processes.web()) as client,
    ):
        broker.lpush(processes.queue("commands"), *KEEPS_A_CHILD)
        sent = client.send("RegisterCustomer", ALICE)

        assert client.wait_for(sent.command_id, seconds=10)["status"] == "succeeded"
        wait_until(lambda: broker.hlen("unacked") == 0, "all of them are done with")
        assert "Connection to broker lost" not in worker.text()


def test_what_beat_sends_expires_still(shop: Shop) -> None:
    message = app.amqp.as_task_v2(UNKNOWN, "catch_up", (), {}, expires=4.5)

    assert ours(message.headers)["expires"] == message.headers["expires"]
