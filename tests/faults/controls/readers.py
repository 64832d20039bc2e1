"""What keeps readers of the log from missing an event, or acting on one twice."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from domain.accounts.commands import Deposit
from domain.transfers.commands import TransferMoney
from eventstore.journal import internal_commands
from eventstore.projections.project import subscription_of
from eventstore.subscriptions import catch_up, process_manager
from eventstore.subscriptions.subscription import Subscription
from readmodels.accounts import projection
from tests.faults.checker import money, readers
from tests.faults.checker.folds import invariant_of
from tests.faults.controls.control import Control
from tests.faults.controls.scene import Killed, Scene
from tests.support.engine import connect

ACCOUNT = invariant_of("accounts")
MANAGER = "process:transfers"

accounts = subscription_of(projection, 1)


def a_reader_dies_before_its_checkpoint_is_moved(scene: Scene) -> None:
    account = scene.account()
    (command_id,) = scene.send(Deposit(account_id=account, amount=7))
    scene.run(command_id)

    def die(*_: Any) -> None:
        raise Killed

    with connect(scene.url) as own, connect(scene.url) as other:
        subscription = accounts
        if scene.writes_apart:
            subscription = writing_to(other, accounts)
        with scene.patch.context() as patch:
            patch.setattr(catch_up, "move_checkpoint", die)
            try:
                catch_up.catch_up(own, subscription)
            except Killed:
                own.close()
    scene.read()


def writing_to(connection: Any, subscription: Subscription) -> Subscription:
    """Return *subscription*, which writes in a transaction of its own."""

    def handle(_: Any, events: Sequence[Any]) -> None:
        with connection.transaction():
            subscription.handler(connection, events)

    return replace(subscription, handler=handle)


def write_apart(scene: Scene) -> None:
    scene.writes_apart = True


def a_second_reader_comes_while_one_reads(scene: Scene) -> None:
    account = scene.account()
    (command_id,) = scene.send(Deposit(account_id=account, amount=7))
    scene.run(command_id)

    def read_before(connection: Any, events: Sequence[Any]) -> None:
        catch_up.catch_up(second, accounts)
        accounts.handler(connection, events)

    with connect(scene.url) as first, connect(scene.url) as second:
        catch_up.catch_up(first, replace(accounts, handler=read_before))
    scene.read()


def read_without_the_row(scene: Scene) -> None:
    scene.rewrite(catch_up, catch_up.advance, "FOR UPDATE SKIP LOCKED", "")


def transfer(scene: Scene) -> TransferMoney:
    """Return a transfer between accounts that are opened for it."""
    return TransferMoney(
        from_account=scene.account(),
        to_account=scene.account(),
        amount=30,
        currency="EUR",
    )


def set_back(scene: Scene) -> None:
    """Have the process manager read the log once more, as an operator can."""
    scene.connection.execute("DELETE FROM subscriptions WHERE name = %s", (MANAGER,))
    scene.connection.execute("INSERT INTO subscriptions (name) VALUES (%s)", (MANAGER,))


def the_code_of_a_process_manager_changes(scene: Scene) -> None:
    """And its checkpoint is set back: it would send for old events what is new."""
    scene.sender.do(transfer(scene))
    managers = scene.shop.process_managers
    vars(scene.shop)["process_managers"] = [
        replace(m, react=twice(m.react)) if m.principal == MANAGER else m
        for m in managers
    ]
    set_back(scene)
    scene.sender.work()
    vars(scene.shop)["process_managers"] = managers


def twice(react: Any) -> Any:
    def react_twice(stream_id: str, event: Any) -> Iterable[Any]:
        return [*react(stream_id, event), *react(stream_id, event)]

    return react_twice


def forget_what_was_acted_on(scene: Scene) -> None:
    scene.change("record_progress", "RETURN before;", "RETURN 0;")


def the_record_of_a_process_manager_is_lost(scene: Scene) -> None:
    scene.sender.do(transfer(scene))
    set_back(scene)
    scene.connection.execute(
        """
        UPDATE process_managers SET acted_up_to = 0, event_id = NULL WHERE name = %s
        """,
        (MANAGER,),
    )
    scene.sender.work()


def send_under_any_key(scene: Scene) -> None:
    def send_again(outgoing: Sequence[Any], **given: Any) -> Any:
        again = [replace(sent, key=uuid4().hex) for sent in outgoing]
        return internal_commands.send_in_steps(again, **given)

    scene.patch.setattr(process_manager, "send_in_steps", send_again)


def a_checkpoint_slips_ahead_of_the_log(scene: Scene) -> None:
    """By one, and what comes in at that place is read after it is put right."""
    account = scene.account()
    scene.read()
    scene.connection.execute(
        """
        UPDATE subscriptions SET checkpoint = last_drawn() + 1
        WHERE name = 'accounts_g1'
        """
    )
    scene.sender.do(Deposit(account_id=account, amount=7))
    scene.read()
    scene.connection.execute(
        "SELECT repair_checkpoint('accounts_g1', 'ada', 'a slip of the hand')"
    )
    scene.read()


def believe_any_checkpoint(scene: Scene) -> None:
    scene.change(
        "checkpoint_fault", "BEGIN\n    IF place", "BEGIN RETURN NULL;\n    IF place"
    )


FOLLOWS = (money.ONE_PLACE, money.CONSERVED)

CONTROLS = [
    Control(
        "a checkpoint moves in the transaction of the rows",
        a_reader_dies_before_its_checkpoint_is_moved,
        write_apart,
        ACCOUNT,
    ),
    Control(
        "catching up locks the checkpoint's row",
        a_second_reader_comes_while_one_reads,
        read_without_the_row,
        ACCOUNT,
    ),
    Control(
        "a checkpoint that does not fit the log is refused",
        a_checkpoint_slips_ahead_of_the_log,
        believe_any_checkpoint,
        ACCOUNT,
    ),
    Control(
        "a process manager stores what it has acted on",
        the_code_of_a_process_manager_changes,
        forget_what_was_acted_on,
        readers.ACTED_ONCE,
        also=FOLLOWS,
    ),
    Control(
        "ids of follow-ups are computed from the event's",
        the_record_of_a_process_manager_is_lost,
        send_under_any_key,
        readers.ACTED_ONCE,
        also=FOLLOWS,
    ),
]
