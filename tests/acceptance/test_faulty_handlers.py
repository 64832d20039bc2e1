"""A handler that goes wrong takes nobody with it, not even its own process."""

import pytest
import sqlalchemy as sa

from tests.support.client import client_of
from tests.support.faulty_shop import EAT, RECURSE
from tests.support.orders import ALICE, order_for
from tests.support.processes import Processes

pytestmark = pytest.mark.races


def test_who_eats_memory_or_calls_itself_for_ever_fails_at_once(
    processes: Processes, engine: sa.Engine
) -> None:
    processes.redis()
    processes.worker("tests.support.faulty_shop", concurrency=1)
    with client_of(processes.web()) as client:
        client.wait_for(client.send("RegisterCustomer", ALICE).command_id)
        client.wait_for(client.send("PlaceOrder", order_for()).command_id)
        eats, recurses, behind = (
            client.send("CancelOrder", {"order_id": 1, "reason": reason}).command_id
            for reason in (EAT, RECURSE, "no")
        )
        client.wait_for(behind)

    with engine.connect() as connection:
        rows = connection.execute(
            sa.text("SELECT id::text, status, error ->> 'error' FROM commands")
        )
        found = {command_id: (status, error) for command_id, status, error in rows}
        deaths = connection.scalar(
            sa.text("SELECT count(*) FROM command_incidents WHERE kind = 'runner_died'")
        )
    assert found[eats] == ("failed", "MemoryError")
    assert found[recurses] == ("failed", "RecursionError")
    assert found[behind] == ("succeeded", None)
    # No process had to die of it.
    assert deaths == 0
