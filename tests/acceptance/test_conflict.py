"""Optimistic concurrency, between two real processes."""

from uuid import UUID

import pytest
import sqlalchemy as sa

from domain.orders.commands import CancelOrder
from eventstore.aggregates import command_handler
from eventstore.connection import driver_connection
from eventstore.journal.entries import find_incidents
from eventstore.log.read import read_stream
from tasks.shop.wiring import Shop
from tests.support.client import client_of
from tests.support.faulty_shop import HOLD, HOLDING_LOCK
from tests.support.orders import ALICE, order_for
from tests.support.processes import Processes
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races


def is_waited_for(engine: sa.Engine) -> bool:
    with engine.connect() as connection:
        return bool(
            connection.scalar(
                sa.text(
                    "SELECT count(*) FROM pg_locks"
                    " WHERE locktype = 'advisory' AND objid = :lock AND NOT granted"
                    " AND database = (SELECT oid FROM pg_database"
                    " WHERE datname = current_database())"
                ),
                {"lock": HOLDING_LOCK},
            )
        )


def test_a_worker_that_was_overtaken_decides_again_on_the_new_state(
    processes: Processes, engine: sa.Engine, shop: Shop
) -> None:
    processes.redis()
    processes.worker("tests.support.faulty_shop")
    with client_of(processes.web()) as client:
        client.wait_for(client.send("RegisterCustomer", ALICE).command_id)
        client.wait_for(client.send("PlaceOrder", order_for()).command_id)
        with engine.connect() as holder:
            # The worker loads the order at version 1, and is held in its decision.
            holder.execute(sa.select(sa.func.pg_advisory_lock(HOLDING_LOCK)))
            held = client.send("CancelOrder", {"order_id": 1, "reason": HOLD})
            wait_until(lambda: is_waited_for(engine), "the worker is held")
            with shop.autocommitting.connect() as connection:
                outcome = command_handler.handle(
                    driver_connection(connection),
                    CancelOrder(order_id=1, reason="The customer called"),
                    stream_id="order-1",
                    deciders=shop.deciders,
                    actor="a second process",
                )
            holder.execute(sa.select(sa.func.pg_advisory_unlock(HOLDING_LOCK)))
        ended = client.wait_for(held.command_id)

    with shop.autocommitting.connect() as connection:
        conflicts = [
            incident.detail["error"]
            for incident in find_incidents(connection, UUID(held.command_id))
        ]
        events = read_stream(driver_connection(connection), "order-1")
    assert outcome.status == "succeeded"
    assert ended["status"] == "succeeded"
    assert conflicts == ["WrongExpectedVersion"]
    assert [event.type for event in events] == ["OrderCreated", "OrderCancelled"]
