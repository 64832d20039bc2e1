"""Scheduled commands among real processes: run at their time, or taken back, once."""

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from eventstore.connection import driver_connection
from tests.faults.answers import Attempt
from tests.faults.checker import check, is_at_rest
from tests.support.client import Client, client_of
from tests.support.processes import Processes
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

MANY = 150


def schedule(client: Client, number: int, due: datetime) -> str:
    """Send a registration for a time, and return its command's id."""
    name = f"C{number}"
    answer = client.ask(
        {
            "type": "RegisterCustomer",
            "data": {"name": name, "customer_id": name},
            "not_before": due.isoformat(),
        },
        name,
    )
    assert (answer.status, answer.body["status"]) == (202, "scheduled"), answer
    return answer.command_id


def taken_back(attempts: list[Attempt], command_id: str, status: int) -> Attempt:
    """Return what to write down where a command was asked to be cancelled."""
    sent = next(a for a in attempts if a.command_id == command_id)
    return msgspec.structs.replace(sent, status=status, takes_back=True)


def sleep_until(moment: datetime) -> None:
    time.sleep(max((moment - datetime.now(UTC)).total_seconds(), 0))


def outcomes(engine: sa.Engine) -> dict[str, Any]:
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text("SELECT id::text AS id, status FROM commands")
        )
        return {row.id: row.status for row in rows}


def test_two_relays_and_who_takes_back_never_both_have_a_command(
    processes: Processes, engine: sa.Engine
) -> None:
    """Each is taken back just as its time comes; there is no broker, and no worker."""
    chance = random.Random(7)
    processes.relay()
    processes.relay()
    address = processes.web()
    with client_of(address) as client:
        # All are to be accepted before the first is due, beside whatever else runs.
        begin = datetime.now(UTC) + timedelta(seconds=10)
        times = [begin + timedelta(milliseconds=30 * n) for n in range(MANY)]
        ids = [schedule(client, n, due) for n, due in enumerate(times)]
        attempts = client.attempts
        early = datetime.now(UTC) < begin
    sleep_until(begin - timedelta(seconds=0.2))
    # Another connection: the web closes one on which nothing is asked for two seconds.
    with client_of(address) as client:
        answered = {}
        for command_id, due in zip(ids, times, strict=True):
            sleep_until(due + timedelta(seconds=chance.uniform(-0.05, 0.02)))
            status, _ = client.call("POST", f"/api/commands/{command_id}/cancel", {})
            answered[command_id] = status
            attempts.append(taken_back(attempts, command_id, status))
        wait_until(
            lambda: "accepted" not in outcomes(engine).values(),
            "all that is due has been run",
            seconds=20,
        )

    found = outcomes(engine)
    assert early
    assert set(answered.values()) == {200, 409}
    assert {
        i: {200: "cancelled", 409: "succeeded"}[s] for i, s in answered.items()
    } == {command_id: found[command_id] for command_id in ids}
    # It finds every event of what was taken back, and every effect that is missing.
    with engine.connect() as connection:
        driver = driver_connection(connection)
        wait_until(lambda: is_at_rest(driver), "all is read", seconds=20)
        assert check(driver, attempts).broken == {}
