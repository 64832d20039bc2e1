"""What a worker's heart tells of its queue."""

import os
import signal
import threading
import time
from uuid import UUID

import pytest

from tasks.broker import publish
from tasks.broker.circuit_breaker import Breaker
from tasks.broker.publisher_thread import PublisherThread
from tasks.heartbeat import processes, pulse
from tasks.heartbeat.processes import Queue
from tasks.heartbeat.pulse import Pulses
from tasks.heartbeat.thread import Heart
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.support.waiting import wait_until

COMMAND = UUID("5ab1ec0d-0000-4000-8000-000000000001")


def queue() -> Queue:
    return Queue(children=1, queues={"commands"}, pulses=Pulses())


@pytest.mark.parametrize("shadow", [{}, {"shadow": "PlaceOrder"}, {"shadow": "many"}])
def test_a_message_that_names_commands_tells_how_far_the_queue_is(
    shadow: dict[str, str],
) -> None:
    known = queue()
    known.note({"task": "execute", "id": str(COMMAND), **shadow})

    assert known.tell().received == COMMAND


@pytest.mark.parametrize(
    "headers",
    [
        {"task": "catch_up", "id": str(COMMAND)},
        {"task": "execute", "id": "of somebody else"},
        {"task": "execute"},
    ],
)
def test_other_messages_tell_nothing_of_it(headers: dict[str, str]) -> None:
    known = queue()
    known.note(headers)

    assert known.tell().received is None
    assert known.count == 1


def moved(*seconds_ago: float) -> Pulses:
    """Return the pulses of processes that moved last so many seconds ago."""
    now = 1_000.0
    pulses = Pulses(clock=lambda: now)
    for place, seconds in enumerate(seconds_ago):
        now = 1_000.0 - seconds
        pulses.show(place)
    now = 1_000.0
    return pulses


@pytest.mark.parametrize(
    ("seconds_ago", "serves"),
    [
        # None has ever shown itself: they are of a kind that does not.
        ((), True),
        # The other one was stopped before it began.
        ((60.0,), False),
        ((0.1,), True),
        ((0.1, 0.2), True),
        ((0.1, 60.0), True),
        ((60.0, 60.0), False),
    ],
)
def test_a_worker_serves_while_one_of_its_processes_moves(
    seconds_ago: tuple[float, ...], serves: bool
) -> None:
    worker = Queue(children=2, queues={"commands"}, pulses=moved(*seconds_ago))

    assert worker.tell().serves_commands is serves


def test_a_process_that_waits_for_work_moves_and_its_parent_sees_it() -> None:
    pulses = Pulses()
    child = os.fork()
    if not child:
        pulse.begin(pulses, 0)
        time.sleep(60)
        os._exit(0)
    try:
        wait_until(lambda: any(pulses.memory[:8]), "it shows itself")
        assert pulses.count_still(1) == 0
        os.kill(child, signal.SIGSTOP)
        wait_until(lambda: pulses.count_still(1) == 1, "it stands still", seconds=10)
        os.kill(child, signal.SIGCONT)
        wait_until(lambda: pulses.count_still(1) == 0, "it moves", seconds=10)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_process_that_has_sent_nothing_asks_for_a_broker_that_others_left_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    hearts: list[Heart] = []
    asked = threading.Event()
    breaker = Breaker(threshold=1)
    outbox = PublisherThread(lambda _: None, when_idle=asked.set)
    monkeypatch.setattr(publish, "outbox", outbox)
    monkeypatch.setattr(processes, "start", hearts.append)
    processes.begin(Shop(settings, breaker=breaker), "web")
    [heart] = hearts

    assert heart.tell().detail == {"breaker": "closed"}
    assert publish.outbox.thread is None
    breaker.failed()
    assert heart.tell().detail == {"breaker": "open"}
    assert asked.wait(10)
