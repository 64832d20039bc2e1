"""Webhooks are sent by real processes, which are killed meanwhile."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tasks.webhooks.channel import MAX_OPEN_STREAMS
from tests.support.following import append_to, ids_in_log
from tests.support.processes import Process, Processes
from tests.support.receivers import add, receiving, standing_of
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

ALLOWED = {"WEBHOOK_ALLOW_PRIVATE": "127.0.0.0/8"}
STREAMS = 20
VERSIONS = 10
KILLS = 6


@pytest.fixture
def shop(settings: Settings) -> Iterator[Shop]:
    shop = Shop(settings)
    yield shop
    shop.engine.dispose()


@pytest.fixture
def log(database: str) -> Iterator[psycopg.Connection[Any]]:
    url = database.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def children_of(process: Process) -> list[int]:
    assert process.running is not None
    pid = process.running.pid
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in found.split()]


def test_a_shop_without_webhooks_has_no_process_for_them(
    processes: Processes, shop: Shop
) -> None:
    processes.extra = ALLOWED
    relay = processes.relay()
    wait_until(lambda: len(children_of(relay)) == 1, "the relay is at work")
    (worker,) = children_of(relay)
    with shop.lent() as connection:
        wait_until(
            lambda: (
                connection.execute(
                    "SELECT FROM heartbeats WHERE role = 'relay'"
                ).rowcount
            ),
            "it beats",
        )
    assert children_of(relay) == [worker]
    with receiving(1) as (receiver,), shop.lent() as log:
        add(shop, "crm", receiver.url)
        append_to(log, "order-1", 1)
        wait_until(lambda: receiver.ids, "it comes")
        assert len(children_of(relay)) == 2
        assert relay.stop() == 0


def test_a_sender_that_is_killed_loses_nothing_and_repeats_what_was_under_way(
    processes: Processes, shop: Shop, log: psycopg.Connection[Any]
) -> None:
    processes.extra = ALLOWED
    relay = processes.relay()
    wait_until(lambda: len(children_of(relay)) == 1, "the relay is at work")
    (worker,) = children_of(relay)
    with receiving(2) as receivers:
        for number, receiver in enumerate(receivers):
            add(shop, f"number{number}", receiver.url)

        def write() -> None:
            for version in range(1, VERSIONS + 1):
                for number in range(1, STREAMS + 1):
                    append_to(log, f"order-{number}", version)

        writer = threading.Thread(target=write)
        writer.start()
        for number in range(1, KILLS + 1):
            came = len(receivers[0].ids)
            wait_until(lambda n=came: len(receivers[0].ids) > n, "it sends")  # type: ignore[misc]
            if number % 3 == 0:
                relay.kill()
                relay.start()
                wait_until(lambda: children_of(relay), "the relay is at work again")
                (worker,) = children_of(relay)[:1]
                continue
            senders = [pid for pid in children_of(relay) if pid != worker]
            for sender in senders:
                os.kill(sender, signal.SIGKILL)
        writer.join()
        names = [f"number{number}" for number in range(len(receivers))]
        wait_until(
            lambda: all(not standing_of(shop, name).behind for name in names), "the end"
        )
        wait_until(
            lambda: all(not standing_of(shop, name).streams for name in names), "all"
        )
        ids = ids_in_log(log)

    for receiver in receivers:
        repeated = len(receiver.ids) - len(set(receiver.ids))
        print(f"{repeated} of {len(ids)} came again after {KILLS} kills")
        assert sorted(set(receiver.ids)) == sorted(ids)
        assert repeated <= KILLS * MAX_OPEN_STREAMS
        for versions in receiver.streams().values():
            assert list(dict.fromkeys(versions)) == [*range(1, VERSIONS + 1)]
