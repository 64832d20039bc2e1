"""Beat alone, without signals and without the relay, keeps all up that is derived."""

from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest
import sqlalchemy as sa

from eventstore.subscriptions.snapshot_taker import SnapshotPolicy
from readmodels import ALL
from tasks.shop.process_managers import process_managers
from tests.support.client import Client, client_of
from tests.support.orders import ALICE, order_for
from tests.support.processes import Processes
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

INTERVAL = 3.0
SNAPSHOT_EVENTS = 5


def change_details(client: Client, times: int) -> None:
    """Let Alice's stream grow by so many events."""
    for number in range(times):
        changed = {**ALICE, "name": f"Alice the {number}th"}
        client.wait_for(client.send("ChangeCustomerDetails", changed).command_id)


def ask(engine: sa.Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


def behind(engine: sa.Engine) -> list[int]:
    """Return how far each reader of the log is behind its end."""
    query = "SELECT (SELECT max(id) FROM events) - checkpoint FROM subscriptions"
    return [lag for (lag,) in ask(engine, query)]


def test_beat_alone_takes_snapshots_and_brings_all_read_models_up(
    processes: Processes, engine: sa.Engine
) -> None:
    processes.settings = replace(
        processes.settings,
        catch_up_signals=False,
        catch_up_seconds=INTERVAL,
        snapshot_policy=SnapshotPolicy(SNAPSHOT_EVENTS),
        snapshot_seconds=INTERVAL,
        seal_seconds=INTERVAL,
    )
    processes.redis()
    processes.worker()
    with client_of(processes.web()) as client:
        client.wait_for(client.send("RegisterCustomer", ALICE).command_id)
        change_details(client, SNAPSHOT_EVENTS)
        client.wait_for(client.send("PlaceOrder", order_for()).command_id)
    before = behind(engine)
    snapshots = ask(engine, "SELECT * FROM snapshots")

    processes.beat()
    wait_until(lambda: any(processes.folder.glob("schedule*")), "beat has started")
    wait_until(
        # Read models, process managers, what forgets, and snapshots and seals, which
        # are made by their first run.
        lambda: (
            behind(engine) == [0] * (len(ALL) + len(process_managers(None, UTC)) + 3)
        ),
        "all that reads the log is at its end",
        # A tick after one interval, and a little for the tasks themselves.
        seconds=INTERVAL + 1,
    )

    assert all(before)
    assert snapshots == []
    assert ask(engine, "SELECT stream_id, version FROM snapshots") == [
        ("customer-ALICE", 1 + SNAPSHOT_EVENTS)
    ]
    assert ask(engine, "SELECT customer_name FROM readmodels.order_list") == [
        (f"Alice the {SNAPSHOT_EVENTS - 1}th",)
    ]
