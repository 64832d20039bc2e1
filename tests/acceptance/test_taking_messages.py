"""A message for what its worker has done already is nobody's work any more."""

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


def test_messages_for_what_is_done_pass_where_no_process_is_free(
    processes: Processes,
) -> None:
    # The one message that a stopped process has would be all that its worker takes.
    processes.settings = replace(processes.settings, catch_up_signals=False)
    processes.redis()
    worker = processes.worker(concurrency=1)
    path = str(processes.folder / "redis.sock")
    with (
        redis.Redis(unix_socket_path=path) as broker,
        client_of(processes.web()) as client,
    ):
        sent = client.send("RegisterCustomer", ALICE)
        wait_until(
            lambda: str(sent.command_id) in worker.text(), "the worker says it is done"
        )
        with children_stopped(worker):
            for number in range(MESSAGES):
                again = task("execute", [[str(sent.command_id)]], random.Random(number))
                broker.lpush("commands", json.dumps(again).encode())

            wait_until(
                lambda: broker.llen("commands") == broker.hlen("unacked") == 0,
                "all of them are done with",
            )

        # And the worker is as well as before.
        other = client.send("ChangeCustomerDetails", ALICE | {"name": "Alicia"})
        assert client.wait_for(other.command_id)["status"] == "succeeded"
