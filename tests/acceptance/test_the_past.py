"""The shop as it was, by real processes: the relay's child makes what the web wants."""

import os
import signal
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
import sqlalchemy as sa

from tests.support.client import Client, client_of
from tests.support.orders import ALICE, order_for
from tests.support.processes import Processes
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

MAX_LOOKS = 60
"""Each waits for a second."""
FILLER = """
    SELECT pid FROM pg_stat_activity
    WHERE application_name = 'recount past' AND datname = current_database()
"""


def look(client: Client, at: datetime) -> tuple[int, Any]:
    """Return the status and the body of the list of orders as of a time."""
    return client.call("GET", f"/api/orders?as_of={quote(at.isoformat())}")


def test_a_moment_is_made_within_seconds_and_stays(
    processes: Processes, engine: sa.Engine
) -> None:
    processes.relay()
    with client_of(processes.web()) as client:
        client.wait_for(client.send("RegisterCustomer", ALICE).command_id)
        client.wait_for(client.send("PlaceOrder", order_for()).command_id)
        then = datetime.now(UTC)
        client.wait_for(client.send("PlaceOrder", order_for()).command_id)
        started = time.monotonic()
        told: list[tuple[int, Any]] = []
        while (answer := look(client, then))[0] == 503 and len(told) < MAX_LOOKS:
            told.append(answer)
        took = time.monotonic() - started
        again = time.monotonic()
        second = look(client, then)
        again = time.monotonic() - again

    print(f"first look {took:.2f} s, second look {again * 1000:.0f} ms")
    assert answer[0] == 200
    assert [row["order_id"] for row in answer[1]["orders"]] == [1]
    assert second == answer
    assert {status for status, _ in told} <= {503}
    # Each answer comes soon, and says how far it is.
    assert {body["type"] for _, body in told} <= {"/problems/being-made"}


def test_a_filler_that_is_killed_is_followed_by_another(
    processes: Processes, engine: sa.Engine
) -> None:
    relay = processes.relay()
    with client_of(processes.web()) as client, engine.connect() as tables:
        client.wait_for(client.send("RegisterCustomer", ALICE).command_id)
        client.wait_for(client.send("PlaceOrder", order_for()).command_id)
        then = datetime.now(UTC)
        wait_until(lambda: look(client, then)[0] == 200, "the first moment is there")
        assert relay.running is not None
        for child in children_of(relay.running.pid):
            if is_nice(child):
                os.kill(child, signal.SIGKILL)
        wait_until(
            lambda: tables.scalar(sa.text(FILLER)) is None, "the filler's session ends"
        )
        later = datetime.now(UTC)
        wait_until(lambda: look(client, later)[0] == 200, "the second moment is there")


def children_of(parent: int) -> list[int]:
    path = f"/proc/{parent}/task/{parent}/children"
    with open(path, encoding="ascii") as file:
        return [int(pid) for pid in file.read().split()]


def is_nice(pid: int) -> bool:
    """Return whether it is the child that lets all others go first."""
    return os.getpriority(os.PRIO_PROCESS, pid) >= 10
