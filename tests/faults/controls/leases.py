"""What frees a stream whose holder stands still, and keeps it for one who decides."""

import time
from contextlib import nullcontext
from typing import Any

from domain.accounts.commands import Deposit
from eventstore.heartbeats.heartbeats import beat
from eventstore.journal.runner import Limits, Runner
from eventstore.journal.take import take
from tasks.heartbeat.processes import Queue
from tasks.heartbeat.pulse import STILL_AFTER, Pulses
from tasks.shop.wiring import Shop
from tests.faults.checker.promises import FINAL
from tests.faults.controls.control import Control
from tests.faults.controls.drains import DECIDED_ONCE
from tests.faults.controls.processes import sweep
from tests.faults.controls.scene import Scene
from tests.support.engine import connect

LEASE = 3.0
"""Seconds of silence after which `take` has the server end a session."""


def a_holder_stands_still(scene: Scene) -> None:
    """It has taken the stream, and says nothing more for longer than a lease."""
    (command_id,) = scene.send(Deposit(account_id=scene.account(), amount=7))
    with connect(scene.url) as holder:
        take(
            holder,
            command_id,
            Runner(
                deciders=scene.shop.deciders,
                name="worker:still:1",
                limits=Limits(commands=1, bytes=1_000, deaths=3),
            ),
        )
        until = time.monotonic() + LEASE + 1
        while scene.status(command_id) == "accepted" and time.monotonic() < until:
            scene.run(command_id)
            time.sleep(0.05)
        scene.read()


def take_without_a_lease(scene: Scene) -> None:
    scene.change("take", "'idle_session_timeout', '3s'", "'idle_session_timeout', '0'")


def a_second_runner_comes_while_one_decides_for_long(scene: Scene) -> None:
    (command_id,) = scene.send(Deposit(account_id=scene.account(), amount=7))
    decided: list[Any] = []
    other = Shop(scene.shop.settings)

    def take_time(command: Any) -> None:
        decided.append(command)
        if len(decided) == 1:
            until = time.monotonic() + LEASE + 0.5
            while time.monotonic() < until and len(decided) == 1:
                scene.run(command_id, second)
                time.sleep(0.05)

    first = scene.deciding(take_time)
    second = scene.deciding(take_time)
    vars(second)["engine"] = other.engine
    try:
        scene.run(command_id, first)
    except Exception:
        assert len(decided) > 1
    other.engine.dispose()
    scene.note(DECIDED_ONCE, 1, decided[1:])
    scene.read()


def decide_in_silence(scene: Scene) -> None:
    scene.patch.setattr(
        "eventstore.journal.drain.keeping_lease", lambda _: nullcontext()
    )


def all_processes_of_a_worker_stand_still(scene: Scene) -> None:
    """Its main process is well, and has taken a message which nobody runs."""
    moment = [100.0]
    pulses = Pulses(clock=lambda: moment[0])
    queue = Queue(children=1, queues={"commands"}, pulses=pulses)
    pulses.show(0)
    moment[0] += 2 * STILL_AFTER
    scene.send(Deposit(account_id=scene.account(), amount=7))
    beat(scene.connection, queue.tell(), is_new=True)
    sweep(scene)
    scene.connection.execute("DELETE FROM heartbeats")
    scene.read()


def beat_for_nobody_but_oneself(scene: Scene) -> None:
    scene.patch.setattr(Pulses, "count_still", lambda *_: 0)


CONTROLS = [
    Control(
        "the lease of a stream",
        a_holder_stands_still,
        take_without_a_lease,
        FINAL,
    ),
    Control(
        "a deciding process renews its lease",
        a_second_runner_comes_while_one_decides_for_long,
        decide_in_silence,
        DECIDED_ONCE,
    ),
    Control(
        "a worker's heartbeat stands for its child processes",
        all_processes_of_a_worker_stand_still,
        beat_for_nobody_but_oneself,
        FINAL,
    ),
]
