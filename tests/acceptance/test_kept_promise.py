"""A 202 is kept, whatever dies: the fault run of this release, with a fixed seed."""

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis
import sqlalchemy as sa

from eventstore.connection import driver_connection
from tests.faults.answers import Attempt
from tests.faults.checker import check, is_at_rest
from tests.support.client import client_of
from tests.support.faulty_shop import KILL
from tests.support.orders import ALICE, order_for
from tests.support.processes import Process, Processes
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

ORDERS = 500
FAULTY = "tests.support.faulty_shop"
WAITING = "SELECT count(*) FROM commands WHERE status = 'accepted'"
UNDER_WAY = f"{WAITING} AND started_at IS NOT NULL"
# A restarted worker needs a few seconds, and each kill should meet one at work.
KILLS = 8


@dataclass
class Faults:
    """What was done to the shop, and what was under way just then."""

    at_kills: list[tuple[str, int]] = field(default_factory=list)
    at_flushes: list[int] = field(default_factory=list)


def commands() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield 1,000 commands: orders, cancellations of them, and one that kills."""
    for number in range(1, ORDERS + 1):
        yield "PlaceOrder", order_for()
        reason = KILL if number == ORDERS // 2 else "Changed my mind"
        yield "CancelOrder", {"order_id": number, "reason": reason}


def ask(engine: sa.Engine, query: str) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(sa.text(query)) or 0)


def break_things(
    processes: list[Process],
    broker: redis.Redis,
    engine: sa.Engine,
    sending: threading.Event,
) -> Faults:
    """Kill the processes in turn while they are at work, and flush Redis twice."""
    chance = random.Random(7)
    faults = Faults()
    while len(faults.at_kills) < KILLS or len(faults.at_flushes) < 2:
        if len(faults.at_flushes) < 2 and len(faults.at_kills) >= 2:
            queued = int(broker.llen("commands"))
            if queued:
                broker.flushall()
                faults.at_flushes.append(queued)
        under_way = ask(engine, UNDER_WAY)
        if under_way:
            victim = processes[len(faults.at_kills) % len(processes)]
            victim.kill()
            faults.at_kills.append((victim.name, under_way))
            victim.start()
        if not sending.is_set() and not ask(engine, WAITING):
            break
        time.sleep(chance.uniform(0.3, 0.8))
    return faults


def test_every_202_has_one_final_status_and_its_events_once(
    processes: Processes, engine: sa.Engine
) -> None:
    # Deciding takes a while, so that there is work under way whenever something dies,
    # and all is not done before the last of the kills.
    processes.extra["SECONDS_TO_DECIDE"] = "0.03"
    processes.redis()
    worker = processes.worker(FAULTY)
    relay = processes.relay(FAULTY)
    address = processes.web()
    broker = redis.Redis(unix_socket_path=str(processes.folder / "redis.sock"))
    attempts: list[Attempt] = []
    sending = threading.Event()
    sending.set()

    def send() -> None:
        with client_of(address) as client:
            client.attempts = attempts
            client.wait_for(client.send("RegisterCustomer", ALICE).command_id)
            for command in commands():
                client.send(*command)
        sending.clear()

    client_thread = threading.Thread(target=send)
    client_thread.start()
    faults = break_things([worker, relay], broker, engine, sending)
    client_thread.join()
    broker.close()
    with engine.connect() as connection:
        driver = driver_connection(connection)
        wait_until(lambda: is_at_rest(driver), "all are final", seconds=120)
        verdict = check(driver, attempts)

    failed = ask(
        engine,
        "SELECT count(*) FROM commands WHERE status = 'failed'"
        f" AND data ->> 'reason' = '{KILL}'",
    )
    print(f"kills and what was under way: {faults.at_kills}")
    print(f"queue at each flush: {faults.at_flushes}; outcomes: {verdict.outcomes}")
    assert [a for a in attempts if a.status != 202] == []
    assert len(attempts) == 1 + 2 * ORDERS
    assert verdict.broken == {}
    # A cancellation that came before its order would be rejected.
    assert verdict.outcomes == {"succeeded": 2 * ORDERS, "failed": 1}
    assert failed == 1
    assert len(faults.at_kills) >= KILLS
    assert len(faults.at_flushes) == 2
