"""The promise does not rest on the broker."""

import pytest
import sqlalchemy as sa

from tests.support.client import client_of
from tests.support.orders import ALICE, order_for
from tests.support.processes import Processes
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races


def count(engine: sa.Engine, query: str) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(sa.text(query)) or 0)


def test_orders_are_accepted_and_take_effect_without_redis(
    processes: Processes, engine: sa.Engine
) -> None:
    redis = processes.redis()
    processes.worker()
    processes.relay()
    with client_of(processes.web()) as client:
        client.wait_for(client.send("RegisterCustomer", ALICE).command_id)
        redis.kill()

        answers = [client.send("PlaceOrder", order_for()) for _ in range(20)]

    wait_until(
        lambda: count(engine, "SELECT count(*) FROM readmodels.order_list") == 20,
        "20 orders are rows",
        seconds=5,
    )
    slowest = max(answer.seconds for answer in answers)
    ran_by_relay = count(
        engine, "SELECT count(*) FROM commands WHERE ran_by LIKE 'relay:%'"
    )
    print(f"slowest acceptance: {slowest * 1000:.0f} ms")
    assert {answer.status for answer in answers} == {202}
    assert slowest < 1
    assert ran_by_relay == 20
