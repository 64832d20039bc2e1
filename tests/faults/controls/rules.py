"""What keeps people from what they may not do, whenever it is decided."""

from dataclasses import replace

from domain.accounts.commands import Deposit, Withdraw
from eventstore.access.users import add_user, set_roles
from tests.faults.checker.money import NOT_NEGATIVE
from tests.faults.controls.control import Control
from tests.faults.controls.scene import Scene, numbers
from tests.support import desk

MAY_STILL = "what its sender may send no more has no effect"
ONE_ADDRESS = "an e-mail address is one customer's"


def a_right_is_taken_away_before_it_is_used(scene: Scene) -> None:
    account, user = scene.account(), f"bookkeeper{next(numbers)}"
    add_user(scene.connection, user, ["bookkeeper"])
    command_id = scene.sender.send(
        Deposit(account_id=account, amount=5), principal=user
    )
    set_roles(scene.connection, user, [])
    scene.run(command_id)
    done = [command_id] if scene.status(command_id) == "succeeded" else []
    scene.note(MAY_STILL, 1, done)
    scene.read()


def ask_only_when_accepting(scene: Scene) -> None:
    scene.patch.setattr("tasks.shop.permissions.may", lambda *_: True)


def two_withdraw_all_that_there_is(scene: Scene) -> None:
    account = scene.account(amount=100)
    scene.sender.do(*[Withdraw(account_id=account, amount=100)] * 2)


def let_everybody_withdraw(scene: Scene) -> None:
    scene.patch.setattr("domain.accounts.account.check_withdrawal", lambda *_: None)


def two_register_with_one_address(scene: Scene) -> None:
    address = f"alice{next(numbers)}@example.com"
    customers = [
        replace(desk.alice, customer_id=f"C{next(numbers)}", email=address)
        for _ in range(2)
    ]
    done = [i for i in scene.sender.do(*customers) if scene.status(i) == "succeeded"]
    scene.note(ONE_ADDRESS, 1, done[1:])


def let_claims_clash(scene: Scene) -> None:
    scene.change("claim", "IF clashes <> '[]' THEN", "IF false THEN")


CONTROLS = [
    Control(
        "permissions are checked again when a command is decided",
        a_right_is_taken_away_before_it_is_used,
        ask_only_when_accepting,
        MAY_STILL,
    ),
    Control(
        "the rule against overdrawing an account",
        two_withdraw_all_that_there_is,
        let_everybody_withdraw,
        NOT_NEGATIVE,
    ),
    Control(
        "claims that are unique across streams",
        two_register_with_one_address,
        let_claims_clash,
        ONE_ADDRESS,
    ),
]
