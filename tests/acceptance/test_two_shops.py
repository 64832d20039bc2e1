"""Two shops on one broker: neither takes a message of the other."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.support.client import client_of
from tests.support.orders import ALICE
from tests.support.processes import Processes

pytestmark = pytest.mark.races

COMMANDS = 10


@pytest.fixture
def other(processes: Processes, databases: Any, folder: Path) -> Iterator[Processes]:
    """Another shop, on a database of its own and the first one's broker."""
    name = f"{sa.make_url(processes.settings.database_url).database}_other"
    url = databases.clone(name)
    own = folder / "other"
    own.mkdir()
    other = Processes(replace(processes.settings, database_url=url), own)
    yield other
    other.kill_all()
    databases.drop(name)


def test_each_workers_run_all_commands_of_their_own_shop(
    processes: Processes, other: Processes
) -> None:
    """There is no relay: a command whose message another shop takes waits for ever."""
    processes.redis()
    for shop in (processes, other):
        shop.worker(concurrency=1)
    with client_of(processes.web()) as one, client_of(other.web()) as two:
        sent = [
            (
                client,
                client.send("RegisterCustomer", {"customer_id": f"N{n}", "name": "N"}),
            )
            for n in range(COMMANDS)
            for client in (one, two)
        ]
        for client, answer in sent:
            fate = client.wait_for(answer.command_id, seconds=20)
            assert fate["status"] == "succeeded"

    assert processes.queue("commands") != other.queue("commands")


def test_a_worker_is_told_its_queues_by_their_short_names(
    processes: Processes,
) -> None:
    processes.redis()
    worker = processes.worker("tasks.app", "-Q", "commands")
    with client_of(processes.web()) as client:
        sent = client.send("RegisterCustomer", ALICE)
        assert client.wait_for(sent.command_id)["status"] == "succeeded"

    assert processes.queue("commands") in worker.text()
    assert processes.queue("projections") not in worker.text()
