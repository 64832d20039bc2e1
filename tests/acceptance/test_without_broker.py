"""The promise does not rest on the broker."""

import base64
import json
import signal
import time
from typing import Any

import pytest
import redis
import sqlalchemy as sa

from tests.support.client import Answer, Client, client_of
from tests.support.orders import ALICE, order_for
from tests.support.processes import Processes
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

WAITING = "SELECT count(*) FROM commands WHERE status = 'accepted'"
BREAKERS = "SELECT count(*) FROM heartbeats WHERE role = 'web' AND {which}"
BY_RELAY = "SELECT count(*) FROM commands WHERE ran_by LIKE 'relay:%'"


def count(engine: sa.Engine, query: str) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(sa.text(query)) or 0)


def send(client: Client, number: int) -> list[Answer]:
    """Send orders, a hundred a second."""
    answers = []
    for _ in range(number):
        answers.append(client.send("PlaceOrder", order_for()))
        time.sleep(max(0.0, 0.01 - answers[-1].seconds))
    return answers


def commands_of(message: Any) -> list[str]:
    """Return what a task in the broker names: several, if they came close together."""
    body = json.loads(base64.b64decode(json.loads(message)["body"]))
    ids: list[str] = body[0][0]
    return ids


def told(answers: list[Answer], what: str) -> float:
    """Return the slowest but one in a hundred, in seconds, and print it."""
    seconds = sorted(answer.seconds for answer in answers)
    found = seconds[len(seconds) * 99 // 100 - 1]
    print(f"{what}: median {seconds[len(seconds) // 2] * 1000:.0f} ms,", end=" ")
    print(f"p99 {found * 1000:.0f} ms, slowest {seconds[-1] * 1000:.0f} ms")
    return found


def test_a_broker_that_is_frozen_or_gone_slows_down_nobody(
    processes: Processes, engine: sa.Engine
) -> None:
    server = processes.redis()
    processes.worker()
    processes.relay()
    address = processes.web(WEB_PROCESSES="2")
    with client_of(address) as client:
        client.wait_for(client.send("RegisterCustomer", ALICE).command_id)
        server.send(signal.SIGSTOP)
        frozen = send(client, 100)
        # What waited for an answer that never came has met the breaker by now.
        wait_until(
            lambda: client.get("/readyz")["breaker"] != "closed", "the breaker is open"
        )
        # It is the shop's: both processes tell it, and the one they are forked from
        # has no heart.
        is_open = BREAKERS.format(which="detail ->> 'breaker' <> 'closed'")
        wait_until(lambda: count(engine, is_open) == 2, "both hearts tell it")
        assert count(engine, BREAKERS.format(which="true")) == 2
        server.kill()
        gone = send(client, 100)
        processes.redis()
        wait_until(
            lambda: client.get("/readyz")["breaker"] == "closed",
            "the broker is found to be back, without a message",
        )

    wait_until(
        lambda: count(engine, "SELECT count(*) FROM readmodels.order_list") == 200,
        "200 orders are rows",
        seconds=10,
    )
    assert {answer.status for answer in frozen + gone} == {202}
    # Other tests share the machine: alone it is a tenth of that.
    assert told(frozen, "frozen") < 0.4
    assert told(gone, "gone") < 0.4
    assert count(engine, BY_RELAY) == 200


def test_the_relay_leaves_a_queue_to_the_workers_and_runs_what_was_lost(
    processes: Processes, engine: sa.Engine
) -> None:
    processes.extra["SECONDS_TO_DECIDE"] = "0.02"
    processes.redis()
    processes.worker("tests.support.faulty_shop", concurrency=1)
    processes.relay("tests.support.faulty_shop")
    processes.relay("tests.support.faulty_shop")
    broker = redis.Redis(unix_socket_path=str(processes.folder / "redis.sock"))
    address = processes.web()
    with client_of(address) as client:
        client.wait_for(client.send("RegisterCustomer", ALICE).command_id)
        lines = [{"type": "PlaceOrder", "data": order_for()}] * 150
        headers = {"Idempotency-Key": "many"}
        status, _ = client.call("POST", "/api/commands/batch", lines, headers)
    assert status == 202
    wait_until(lambda: not count(engine, WAITING), "the worker ran them")
    by_relay = count(engine, BY_RELAY)
    with client_of(address) as client:
        answers = send(client, 150)
        lost = 0
        while message := broker.rpop(processes.queue("commands")):
            lost += len(commands_of(message))

    wait_until(lambda: not count(engine, WAITING), "what was lost is run", seconds=10)
    print(f"lost {lost}, by relay {count(engine, BY_RELAY)}, {len(answers)} sent")
    broker.close()
    assert by_relay == 0
    assert lost > 20
    assert 0 < count(engine, BY_RELAY) <= lost + 10
    assert count(engine, "SELECT max(attempts) FROM commands") == 1


def test_a_lost_message_is_noticed_also_while_no_worker_is_ever_idle(
    processes: Processes, engine: sa.Engine
) -> None:
    processes.extra["SECONDS_TO_DECIDE"] = "0.4"
    processes.redis()
    processes.worker("tests.support.faulty_shop", concurrency=1)
    processes.relay()
    broker = redis.Redis(unix_socket_path=str(processes.folder / "redis.sock"))
    with client_of(processes.web()) as client, broker:
        client.wait_for(client.send("RegisterCustomer", ALICE).command_id)
        for number in range(25):
            client.send("PlaceOrder", order_for())
            if number == 5:
                lost = commands_of(broker.rpop(processes.queue("commands")))
            # A little faster than the worker is.
            time.sleep(0.2)
        wait_until(lambda: not count(engine, WAITING), "all are run")

    found = f"SELECT finished_at FROM commands WHERE id = '{lost[0]}'"
    assert len(lost) == 1
    assert count(engine, BY_RELAY) == 1
    # Without the queue to go by, it would be when that is empty.
    later = f"SELECT count(*) FROM commands WHERE finished_at > ({found})"
    assert count(engine, later) > 10
