"""Transfers while everything dies: each ends, and the money is always there."""

import os
import random
import threading
import time

import pytest
import redis
import sqlalchemy as sa

from eventstore.connection import driver_connection
from tests.faults.answers import Attempt
from tests.faults.checker import check, is_at_rest
from tests.faults.checker.money import CONSERVED, Ends, count_ends
from tests.support.client import client_of
from tests.support.processes import Process, Processes
from tests.support.waiting import wait_until

pytestmark = pytest.mark.long

TRANSFERS = int(os.environ.get("TRANSFERS", "10000"))
FAULTS = int(os.environ.get("FAULTS", "40"))
ACCOUNTS = 100 if TRANSFERS >= 10_000 else 12


def look(engine: sa.Engine) -> Ends:
    with engine.connect() as connection:
        return count_ends(driver_connection(connection))


def have_all_ended(engine: sa.Engine) -> bool:
    ends = look(engine)
    return ends.completed + ends.compensated == ends.requested == TRANSFERS


def break_things(
    victims: list[Process], broker: redis.Redis, engine: sa.Engine
) -> list[tuple[str, int]]:
    """Kill the processes in turn while transfers are under way, and flush Redis."""
    chance = random.Random(7)
    faults: list[tuple[str, int]] = []
    while len(faults) < FAULTS and not have_all_ended(engine):
        ends = look(engine)
        under_way = ends.requested - ends.completed - ends.compensated
        if under_way:
            victim = victims[len(faults) % len(victims)]
            victim.kill()
            victim.start()
            faults.append((victim.name, under_way))
            if len(faults) % 4 == 3:
                broker.flushall()
                faults.append(("flush", under_way))
        time.sleep(chance.uniform(0.3, 1.0))
    return faults


def test_every_transfer_ends_and_no_money_is_lost(
    processes: Processes, engine: sa.Engine
) -> None:
    processes.redis()
    victims = [processes.worker(), processes.relay()]
    address = processes.web()
    broker = redis.Redis(unix_socket_path=str(processes.folder / "redis.sock"))
    chance = random.Random(7)
    names = [f"N{number}" for number in range(ACCOUNTS)]

    attempts: list[Attempt] = []

    def send() -> None:
        with client_of(address) as client:
            client.attempts = attempts
            for name in names:
                client.send("OpenAccount", {"account_id": name})
            for name in names:
                client.send("Deposit", {"account_id": name, "amount": 10_000})
            for _ in range(TRANSFERS):
                source, target = chance.sample([*names, "N0BODY"], 2)
                client.send(
                    "TransferMoney",
                    {
                        "from_account": source,
                        "to_account": target,
                        "amount": chance.randint(1, 400),
                    },
                )

    client_thread = threading.Thread(target=send)
    client_thread.start()
    faults = break_things(victims, broker, engine)
    client_thread.join()
    broker.close()
    wait_until(lambda: have_all_ended(engine), "all transfers end", seconds=600)
    with engine.connect() as connection:
        driver = driver_connection(connection)
        wait_until(lambda: is_at_rest(driver), "all is done and read", seconds=60)
        verdict, ends = check(driver, attempts), count_ends(driver)

    print(f"faults: {len(faults)} {faults[:12]}; {verdict}; {ends}")
    assert verdict.broken == {}
    assert verdict.checked[CONSERVED] > TRANSFERS
    assert ends.requested == ends.completed + ends.compensated == TRANSFERS
    assert min(ends.completed, ends.compensated) > 0
    assert len(faults) >= 2
