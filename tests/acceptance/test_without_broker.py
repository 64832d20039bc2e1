"""The promise does not rest on the broker, and the list not on signals."""

from dataclasses import replace

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


def test_beat_alone_brings_the_list_up_within_its_interval(
    processes: Processes, engine: sa.Engine
) -> None:
    interval = 3.0
    processes.settings = replace(
        processes.settings, catch_up_signals=False, catch_up_seconds=interval
    )
    processes.redis()
    processes.worker()
    with client_of(processes.web()) as client:
        client.wait_for(client.send("RegisterCustomer", ALICE).command_id)
        client.wait_for(client.send("PlaceOrder", order_for()).command_id)
        before_beat = count(engine, "SELECT count(*) FROM readmodels.order_list")
        processes.beat()
        started = processes.folder.glob
        wait_until(lambda: any(started("schedule*")), "beat has started")

    wait_until(
        lambda: count(engine, "SELECT count(*) FROM readmodels.order_list") == 1,
        "the order is a row",
        # A tick after one interval, and a little for the task itself.
        seconds=interval + 1,
    )
    assert before_beat == 0
