"""What keeps two runners of a stream apart."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded

from domain.accounts.commands import Deposit
from eventstore.connection import driver_connection
from eventstore.journal.completion import Completion, append_and_complete
from eventstore.log.append import ANY_VERSION
from tasks.shop.wiring import Shop
from tests.faults.checker.effects import ONCE, ONE_EVENT
from tests.faults.checker.order import ORDER
from tests.faults.checker.promises import FINAL
from tests.faults.checker.turns import IN_TURN
from tests.faults.controls.control import Control
from tests.faults.controls.scene import Scene
from tests.support.waiting import wait_until

DECIDED_ONCE = "a command is decided once"
END_IS_END = "a command that has come to an end stays there"

LOCK = "NOT pg_try_advisory_lock(public.lock_key(2, hashtextextended(stream, 0)))"


def a_second_runner_comes_while_one_decides(scene: Scene) -> None:
    (command_id,) = scene.send(Deposit(account_id=scene.account(), amount=7))
    shop, decided = scene.with_second_runner(command_id)
    scene.run(command_id, shop)
    scene.note(DECIDED_ONCE, 1, decided[1:])
    scene.read()


def take_without_the_lock(scene: Scene) -> None:
    scene.change("take", LOCK, "false")


def a_second_runner_comes_just_before_the_commit(scene: Scene) -> None:
    (command_id,) = scene.send(Deposit(account_id=scene.account(), amount=7))
    decided: list[Any] = []
    shop = scene.deciding(decided.append)

    def run() -> None:
        scene.run(command_id, shop)

    with (
        ThreadPoolExecutor() as threads,
        scene.stopping("finish", "COMMIT;", run),
    ):
        second = threads.submit(run)
        wait_until(lambda: second.done() or scene.somebody_waits(), "it ends, or waits")
    scene.note(DECIDED_ONCE, 1, decided[1:])
    scene.read()


def let_go_before_the_commit(scene: Scene) -> None:
    """Either is enough: a command that is locked is looked at when it is finished."""
    scene.change(
        "take",
        "WHERE c.id = due_commands[1]\n        FOR UPDATE",
        "WHERE c.id = due_commands[1]",
    )
    release = (
        "FOREACH stream IN ARRAY streams LOOP\n"
        "        next_due := pg_catalog.array_append("
        "next_due, public.release(stream));\n"
        "    END LOOP;"
    )
    scene.change("finish", f"    COMMIT;\n    {release}", f"    {release}\n    COMMIT;")


def a_command_comes_as_a_runner_lets_go(scene: Scene) -> None:
    account = scene.account()
    (first,) = scene.send(Deposit(account_id=account, amount=7))
    with scene.stopping("release", "IF pg_advisory_unlock", lambda: scene.run(first)):
        (second,) = scene.send(Deposit(account_id=account, amount=8))
        scene.run(second)
    scene.read()


def look_before_the_unlock(scene: Scene) -> None:
    scene.change("release", "AS $$\nBEGIN", "AS $$\nDECLARE due uuid;\nBEGIN")
    scene.change(
        "release",
        "    IF pg_advisory_unlock",
        "    due := public.next_due(stream);\n    IF pg_advisory_unlock",
    )
    scene.change("release", "RETURN public.next_due(stream)", "RETURN due")


def a_runner_is_killed_right_after_its_commit(scene: Scene) -> None:
    (command_id,) = scene.send(Deposit(account_id=scene.account(), amount=7))
    with scene.stopping("finish", "FOREACH stream", lambda: scene.run(command_id)):
        for pid in scene.at_gate():
            scene.connection.execute("SELECT pg_terminate_backend(%s, 10000)", (pid,))
    scene.end_rest()
    scene.sender.work()


def complete_in_a_transaction_of_its_own(scene: Scene) -> None:
    """The events are committed, and the commands finished after that."""
    ends = "forgotten, command_ids, outcomes, errors"
    scene.change("finish", ends, "forgotten, '{}', '{}', '{}'")
    scene.change(
        "finish",
        "is_raised :=",
        """PERFORM public.append_and_complete(
            stream_ids, array_fill(-2, ARRAY[cardinality(stream_ids)]), '{}', '{}',
            '{}', '{}', '{}', NULL, NULL, '{}', command_ids, outcomes, errors
        );
        is_raised :=""",
    )


def somebody_else_finishes_what_is_being_decided(scene: Scene) -> None:
    account = scene.account()
    (command_id,) = scene.send(Deposit(account_id=account, amount=7))

    def finish(_: Any) -> None:
        append_and_complete(
            scene.connection,
            [],
            expected={f"account-{account}": ANY_VERSION},
            completing=[Completion(command_id=command_id, status="rejected")],
        )

    scene.run(command_id, scene.deciding(finish))
    status = scene.status(command_id)
    scene.note(END_IS_END, 1, [] if status == "rejected" else [status])
    scene.sender.work()


def append_whatever_became_of_the_commands(scene: Scene) -> None:
    scene.change(
        "append_and_complete", "IF locked.status <> 'accepted' THEN", "IF false THEN"
    )


def three_come_one_after_the_other(scene: Scene) -> None:
    account = scene.account()
    ids = scene.send(*(Deposit(account_id=account, amount=n) for n in (1, 2, 3)))
    scene.run(ids[0])
    scene.read()


def take_the_last_first(scene: Scene) -> None:
    turn = "ORDER BY coalesce(c.turn, c.seq)"
    scene.change("take", turn, f"{turn} DESC")


def the_clock_goes_back_while_commands_wait(scene: Scene) -> None:
    """All that was written a moment ago lies a day ahead then, or just a minute."""
    account = scene.account()
    ids = scene.send(*(Deposit(account_id=account, amount=n) for n in (1, 2)))
    scene.connection.execute(
        "UPDATE commands SET accepted_at = accepted_at + interval '1 day'"
        " WHERE id = ANY (%s)",
        (ids,),
    )
    ids += scene.send(Deposit(account_id=account, amount=3))
    for command_id in ids:
        scene.run(command_id)
    scene.read()


OLD_ORDER = "coalesce(c.not_before, c.accepted_at)"


def order_by_the_clock(scene: Scene) -> None:
    """As it was: by when a command is due, and what is due is what is past that."""
    for function in ("take", "next_due"):
        scene.change(
            function,
            "(c.not_before IS NULL OR c.turn IS NOT NULL)",
            f"{OLD_ORDER} <= clock_timestamp()",
        )
        scene.change(
            function,
            "ORDER BY coalesce(c.turn, c.seq)",
            f"ORDER BY {OLD_ORDER}, c.seq",
        )


def a_runner_is_interrupted_and_another_comes(scene: Scene) -> None:
    (command_id,) = scene.send(Deposit(account_id=scene.account(), amount=7))

    def interrupt(_: Any) -> None:
        raise SoftTimeLimitExceeded

    with suppress(SoftTimeLimitExceeded):
        scene.run(command_id, scene.deciding(interrupt))
    scene.end_rest()
    other = Shop(scene.shop.settings)
    # The server needs a moment to see that a session has ended.
    for _ in range(25):
        if scene.status(command_id) != "accepted":
            break
        scene.run(command_id, other)
        time.sleep(0.02)
    other.engine.dispose()
    scene.read()


def keep_the_connection(scene: Scene) -> None:
    @contextmanager
    def lent(shop: Shop, **_: Any) -> Any:
        with shop.autocommitting.connect() as connection:
            yield driver_connection(connection)

    scene.patch.setattr(Shop, "lent", lent)


CONTROLS = [
    Control(
        "the lock of a stream that is drained",
        a_second_runner_comes_while_one_decides,
        take_without_the_lock,
        DECIDED_ONCE,
    ),
    Control(
        "a stream is released after the commit, and taken commands are locked",
        a_second_runner_comes_just_before_the_commit,
        let_go_before_the_commit,
        DECIDED_ONCE,
    ),
    Control(
        "a check for due commands after the unlock",
        a_command_comes_as_a_runner_lets_go,
        look_before_the_unlock,
        FINAL,
    ),
    Control(
        "events and the end of their command in one transaction",
        a_runner_is_killed_right_after_its_commit,
        complete_in_a_transaction_of_its_own,
        ONCE,
        also=(ONE_EVENT,),
    ),
    Control(
        "no append for a command that was finished meanwhile",
        somebody_else_finishes_what_is_being_decided,
        append_whatever_became_of_the_commands,
        END_IS_END,
    ),
    Control(
        "commands are taken in the order of their acceptance",
        three_come_one_after_the_other,
        take_the_last_first,
        ORDER,
        also=(IN_TURN,),
    ),
    Control(
        "no clock decides what is due, or what comes first",
        the_clock_goes_back_while_commands_wait,
        order_by_the_clock,
        FINAL,
        also=(ORDER, IN_TURN),
    ),
    Control(
        "an interrupted connection is closed",
        a_runner_is_interrupted_and_another_comes,
        keep_the_connection,
        FINAL,
    ),
]
