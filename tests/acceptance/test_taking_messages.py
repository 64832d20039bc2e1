"""
How a worker takes messages: so many at a time, each until it is acknowledged.

There are as many places as processes, so one that is never given back is missed for
good: a worker without any takes no message, and looks as well as one that has no work.
"""

import json
import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from tests.faults.breaking.messages import task
from tests.faults.desk import waiting_for_messages
from tests.support.client import client_of
from tests.support.orders import ALICE
from tests.support.processes import Process, Processes
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

MESSAGES = 20


@contextmanager
def children_stopped(worker: Process) -> Iterator[None]:
    assert worker.running is not None
    leader = worker.running.pid
    children = Path(f"/proc/{leader}/task/{leader}/children").read_text("utf-8").split()
    assert children
    try:
        for child in children:
            os.kill(int(child), signal.SIGSTOP)
        yield
    finally:
        for child in children:
            os.kill(int(child), signal.SIGCONT)


def broker_of(processes: Processes) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(processes.folder / "redis.sock"))


def waiting(processes: Processes) -> int:
    with broker_of(processes) as broker:
        return waiting_for_messages(broker)


def has_unacknowledged(processes: Processes) -> bool:
    with broker_of(processes) as broker:
        return bool(broker.hlen("unacked") == 1)


def test_a_place_is_given_back_also_where_the_broker_did_not_hear_it(
    processes: Processes,
) -> None:
    processes.settings = replace(processes.settings, catch_up_signals=False)
    broker = processes.redis()
    worker = processes.worker(concurrency=1)
    with client_of(processes.web()) as client:
        with children_stopped(worker):
            sent = client.send("RegisterCustomer", ALICE)
            wait_until(lambda: has_unacknowledged(processes), "it has the message")
            # Its only place is taken. The rig sees by the same who has none left.
            wait_until(lambda: waiting(processes) == 0, "it waits for no other")
            broker.send(signal.SIGSTOP)
        try:
            wait_until(
                lambda: (
                    "Couldn't ack" in worker.text()
                    or "Connection to broker lost" in worker.text()
                ),
                "it has not been heard",
            )
        finally:
            broker.send(signal.SIGCONT)
        client.wait_for(sent.command_id)

        again = client.send("ChangeCustomerDetails", ALICE | {"name": "Alicia"})
        assert client.wait_for(again.command_id, seconds=20)["status"] == "succeeded"
        wait_until(lambda: waiting(processes) == 1, "it waits for the next")


def test_messages_for_what_is_done_pass_where_no_process_is_free(
    processes: Processes,
) -> None:
    # The one message that a stopped process has would be all that its worker takes.
    processes.settings = replace(processes.settings, catch_up_signals=False)
    processes.redis()
    worker = processes.worker(concurrency=1)
    with (
        broker_of(processes) as broker,
        client_of(processes.web()) as client,
    ):
        sent = client.send("RegisterCustomer", ALICE)
        wait_until(
            lambda: str(sent.command_id) in worker.text(), "the worker says it is done"
        )
        with children_stopped(worker):
            for number in range(MESSAGES):
                again = task("execute", [[str(sent.command_id)]], random.Random(number))
                broker.lpush(processes.queue("commands"), json.dumps(again).encode())

            wait_until(
                lambda: (
                    broker.llen(processes.queue("commands"))
                    == broker.hlen("unacked")
                    == 0
                ),
                "all of them are done with",
            )

        # And the worker is as well as before.
        other = client.send("ChangeCustomerDetails", ALICE | {"name": "Alicia"})
        assert client.wait_for(other.command_id)["status"] == "succeeded"
