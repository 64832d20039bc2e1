"""Beat has snapshots taken, by a worker, while the shop runs."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from eventstore.subscriptions.snapshot_taker import SnapshotPolicy
from tests.support.client import client_of
from tests.support.orders import ALICE
from tests.support.processes import Processes
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races


def snapshots(engine: sa.Engine) -> list[tuple[str, int]]:
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT stream_id, version FROM snapshots"))
        return [(row.stream_id, row.version) for row in rows]


def test_a_customer_whose_details_change_gets_a_snapshot_on_beat(
    processes: Processes, engine: sa.Engine
) -> None:
    processes.settings = replace(
        processes.settings, snapshot_policy=SnapshotPolicy(3), snapshot_seconds=0.5
    )
    processes.redis()
    processes.worker()
    processes.beat()
    with client_of(processes.web()) as client:
        client.wait_for(client.send("RegisterCustomer", ALICE).command_id)
        for phone in ("555-1", "555-2"):
            changed = client.send("ChangeCustomerDetails", {**ALICE, "phone": phone})
            client.wait_for(changed.command_id)

        wait_until(lambda: bool(snapshots(engine)), "a snapshot is taken")
    assert snapshots(engine) == [("customer-ALICE", 3)]
