"""What processes do for what got lost between them, and what they must not share."""

import os
import warnings
from contextlib import suppress
from threading import Event
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa

from domain.accounts.commands import Deposit
from eventstore.connection import driver_connection
from tasks.relay import SWEEP_EVERY, Relay
from tasks.shop import wiring
from tests.faults.checker.promises import FINAL
from tests.faults.controls.control import Control
from tests.faults.controls.scene import Scene

THEIRS = "what only waits its turn is run by workers"
OWN_ANSWERS = "a process gets the answers to its own questions"


def a_message_is_lost(scene: Scene) -> None:
    scene.send(Deposit(account_id=scene.account(), amount=7))
    if scene.has_relay:
        sweep(scene)
    scene.read()


def sweep(scene: Scene) -> None:
    """Have the relay look twice: what it finds both times it runs."""
    scene.patch.setattr("tasks.relay.PATIENCE", SWEEP_EVERY)
    busy_since: Any = SimpleNamespace(value=0.0)
    relay = Relay(scene.shop, busy_since)
    for _ in range(2):
        relay.sweep(Event())


def leave_out_the_relay(scene: Scene) -> None:
    scene.has_relay = False


def commands_wait_for_busy_workers(scene: Scene) -> None:
    ids = scene.send(
        *(Deposit(account_id=scene.account(), amount=n) for n in (1, 2, 3))
    )
    scene.connection.execute(
        """
        INSERT INTO heartbeats (process, role, started_at, beat_at, serves_commands)
        VALUES ('worker:busy', 'worker', now(), now(), true)
        """
    )
    sweep(scene)
    scene.connection.execute("DELETE FROM heartbeats")
    for command_id in ids:
        scene.run(command_id)
    rows = scene.connection.execute(
        "SELECT id FROM commands WHERE id = ANY (%s) AND starts_with(ran_by, 'relay')",
        (ids,),
    )
    scene.note(THEIRS, len(ids), [i for (i,) in rows])
    scene.read()


def judge_by_waiting_alone(scene: Scene) -> None:
    scene.change("lost_before", "IF NOT is_served THEN", "IF true THEN")


def a_child_asks_while_its_parent_waits_for_an_answer(scene: Scene) -> None:
    """The parent has not read its answer yet; the child has what it was born with."""
    reading, writing = os.pipe()
    with scene.shop.engine.connect() as connection:
        line = driver_connection(connection).pgconn
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        line.send_query(b"SELECT 'for the parent'")
        child = os.fork()
    if not child:
        with suppress(BaseException):
            os.write(writing, ask_in_the_child(scene).encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as answers:
        answer = answers.read()
    # Nobody knows any more what comes over it next.
    line.finish()
    scene.shop.engine.dispose(close=False)
    scene.note(OWN_ANSWERS, 1, [] if answer == "for the child" else [answer])


def ask_in_the_child(scene: Scene) -> str:
    if scene.forgets_connections:
        wiring.forget_connections()
    with scene.shop.engine.connect() as connection:
        return str(connection.scalar(sa.text("SELECT 'for the child'")))


def keep_what_the_parent_had(scene: Scene) -> None:
    scene.forgets_connections = False


CONTROLS = [
    Control("the relay", a_message_is_lost, leave_out_the_relay, FINAL),
    Control(
        "the relay considers the workers' heartbeats",
        commands_wait_for_busy_workers,
        judge_by_waiting_alone,
        THEIRS,
    ),
    Control(
        "connections are dropped after a fork",
        a_child_asks_while_its_parent_waits_for_an_answer,
        keep_what_the_parent_had,
        OWN_ANSWERS,
    ),
]
