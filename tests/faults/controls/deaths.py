"""What keeps a command that kills, and one that is only slow, from harming others."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded

from domain.accounts.commands import Deposit
from tests.faults.checker.promises import FINAL
from tests.faults.controls.control import Control
from tests.faults.controls.scene import Killed, Scene

HEALTHY = "no healthy command fails"

KILLER = 13


def one_of_three_kills_its_runner(scene: Scene) -> None:
    account = scene.account()
    amounts = (1, KILLER, 2)
    ids = scene.send(*(Deposit(account_id=account, amount=n) for n in amounts))

    def kill(command: Any) -> None:
        if command.amount == KILLER:
            raise Killed

    shop = scene.deciding(kill)
    for _ in range(10):
        waiting = [i for i in ids if scene.status(i) == "accepted"]
        if waiting:
            scene.run_until_it_dies(waiting[0], shop)
    note_failed(scene, [ids[0], ids[2]])
    scene.read()


def note_failed(scene: Scene, healthy: Sequence[UUID]) -> None:
    failed = [i for i in healthy if scene.status(i) == "failed"]
    scene.note(HEALTHY, len(healthy), failed)


def try_again_for_ever(scene: Scene) -> None:
    scene.change("take", "EXIT WHEN deaths < max_deaths", "EXIT WHEN true")


def run_together_after_a_crash(scene: Scene) -> None:
    scene.change(
        "take",
        "        max_commands := 1;\n        due_commands := due_commands[1:1];\n",
        "",
    )


def a_command_is_interrupted_again_and_again(scene: Scene) -> None:
    (command_id,) = scene.send(Deposit(account_id=scene.account(), amount=7))
    interruptions = iter(range(4))

    def interrupt(_: Any) -> None:
        for _ in interruptions:
            raise SoftTimeLimitExceeded

    shop = scene.deciding(interrupt)
    while scene.status(command_id) == "accepted":
        with suppress(SoftTimeLimitExceeded):
            scene.run(command_id, shop)
        scene.end_rest()
    note_failed(scene, [command_id])
    scene.read()


def leave_the_marks(scene: Scene) -> None:
    scene.patch.setattr("tasks.commands.forget_own_marks", lambda *_: None)


CONTROLS = [
    Control(
        "a bounded number of attempts",
        one_of_three_kills_its_runner,
        try_again_for_ever,
        FINAL,
    ),
    Control(
        "one command at a time after a crash",
        one_of_three_kills_its_runner,
        run_together_after_a_crash,
        HEALTHY,
    ),
    Control(
        "a runner that gives up without dying clears its start mark",
        a_command_is_interrupted_again_and_again,
        leave_the_marks,
        HEALTHY,
    ),
]
