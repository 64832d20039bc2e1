"""
Every order in which steps, refusals, failures, retries and abandonings can come.

An exhaustive search, which drives the shipped `decide`, `react` and `abandoned` through
every world that can be reached.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from domain.accounts import account as accounts
from domain.accounts import commands
from domain.accounts.account import Account
from domain.accounts.account import Status as AccountStatus
from domain.fields import MAX_BALANCE
from domain.money import Money
from domain.transfers.commands import TransferMoney
from domain.transfers.events import TransferStepAbandoned
from domain.transfers.process import abandoned, react
from domain.transfers.transfer import Status
from tests.support.worlds import Rules, Sent, World, addressed, fault_in

OPEN_A = commands.OpenAccount(account_id="A", currency="EUR")
OPEN_B = commands.OpenAccount(account_id="B", currency="EUR")
CLOSE_A = commands.CloseAccount(account_id="A")
CLOSE_B = commands.CloseAccount(account_id="B")
SOURCES = {
    "unknown": Account(),
    "open": Account(AccountStatus.OPEN, Money(10, "EUR")),
    "too poor": Account(AccountStatus.OPEN, Money(9, "EUR")),
    "closed": Account(AccountStatus.CLOSED, Money(0, "EUR")),
}
TARGETS = {
    "unknown": Account(),
    "open": Account(AccountStatus.OPEN, Money(0, "EUR")),
    "closed": Account(AccountStatus.CLOSED, Money(0, "EUR")),
    "full": Account(AccountStatus.OPEN, Money(MAX_BALANCE, "EUR")),
}
# What people do meanwhile, at any moment, each of it or none.
PEOPLE = {
    "unknown": [OPEN_A, commands.Deposit(account_id="A", amount=10), CLOSE_B],
    "open": [OPEN_B, CLOSE_A, CLOSE_B, commands.Withdraw(account_id="A", amount=1)],
    "too poor": [commands.Deposit(account_id="A", amount=1), OPEN_B, CLOSE_A],
    "closed": [OPEN_A, commands.Deposit(account_id="A", amount=10)],
}


def world_with(
    source: Account,
    target: Account,
    *asked: tuple[str, str],
    people: Sequence[Any] = (),
) -> World:
    """Return a world in which transfers of 10 are *asked* for, and people are busy."""
    transfers = [
        Sent(
            f"transfer-{number}",
            TransferMoney(from_account=a, to_account=b, amount=10, currency="EUR"),
        )
        for number, (a, b) in enumerate(asked, 1)
    ]
    return World(
        states=(("account-A", source), ("account-B", target)),
        outside=frozenset([*transfers, *map(addressed, people)]),
        paid_in=source.balance.amount + target.balance.amount,
    )


def faults(worlds: set[World]) -> set[str]:
    return {fault for world in worlds if (fault := fault_in(world))}


def ends(worlds: set[World]) -> set[tuple[Status, ...]]:
    """Return how all transfers ended, where nothing is left to do."""
    return {
        tuple(transfer.status for transfer in world.transfers.values())
        for world in worlds
        if world.is_over and not world.outside
    }


@pytest.mark.parametrize(
    ("source", "target"), [*product(SOURCES, TARGETS)], ids=lambda name: name
)
def test_money_is_conserved_whatever_happens_to_a_transfer(
    source: str, target: str
) -> None:
    first = world_with(
        SOURCES[source], TARGETS[target], ("A", "B"), people=PEOPLE[source]
    )
    worlds = Rules().all_worlds(first)

    assert faults(worlds) == set()
    assert (Status.COMPENSATED,) in ends(worlds)
    assert ends(worlds) <= {(Status.COMPENSATED,), (Status.COMPLETED,)}


def test_a_transfer_between_open_accounts_can_be_completed() -> None:
    worlds = Rules().all_worlds(
        world_with(SOURCES["open"], TARGETS["open"], ("A", "B"))
    )

    assert ends(worlds) == {(Status.COMPLETED,), (Status.COMPENSATED,)}


@pytest.mark.parametrize(
    "asked", [(("A", "B"), ("A", "B")), (("A", "B"), ("B", "A"))], ids=["same", "back"]
)
def test_money_is_conserved_by_two_transfers_at_once(
    asked: Sequence[tuple[str, str]],
) -> None:
    first = world_with(SOURCES["open"], TARGETS["open"], *asked, people=[CLOSE_A])
    worlds = Rules().all_worlds(first)

    assert faults(worlds) == set()
    assert {status for end in ends(worlds) for status in end} == {
        Status.COMPLETED,
        Status.COMPENSATED,
    }


def test_money_may_come_back_to_an_account_that_is_closed() -> None:
    first = world_with(SOURCES["open"], TARGETS["closed"], ("A", "B"), people=[CLOSE_A])
    worlds = Rules().all_worlds(first)

    assert any(
        dict(world.states)["account-A"]
        == Account(AccountStatus.CLOSED, Money(10, "EUR"))
        for world in worlds
        if world.is_over
    )


# What the search finds where a rule is missing.


def without(kind: type) -> Rules:
    """Return rules whose process manager does not hear of one kind of event."""
    return Rules(
        react=lambda stream_id, event: (
            [] if isinstance(event, kind) else react(stream_id, event)
        )
    )


def search(rules: Rules, source: str = "open", target: str = "open") -> set[str]:
    first = world_with(SOURCES[source], TARGETS[target], ("A", "B"), people=[CLOSE_A])
    return faults(rules.all_worlds(first))


def test_the_search_sees_that_nobody_hears_of_an_abandoned_step() -> None:
    assert search(without(TransferStepAbandoned)) == {"transfer 1 never ends"}


def test_the_search_sees_that_nobody_is_told_of_an_abandoned_step() -> None:
    assert search(Rules(abandoned=lambda _: None)) == {"transfer 1 never ends"}


def test_the_search_sees_a_compensation_that_a_closed_account_refuses() -> None:
    def refusing(account: Account, command: Any) -> Any:
        if isinstance(command, commands.ReturnWithdrawal):
            accounts.check_open(account, command.account_id)
        return accounts.decide(account, command)

    assert search(Rules(decide_account=refusing), target="closed") == {
        "transfer 1 never ends"
    }


def test_the_search_sees_a_return_for_a_withdrawal_that_was_given_up() -> None:
    def always_returning(stream_id: str, event: Any) -> Any:
        if isinstance(event, TransferStepAbandoned):
            event = replace(event, step="deposit")
        return react(stream_id, event)

    assert "money was made, or lost" in search(Rules(react=always_returning))


def test_the_search_sees_money_that_was_not_there() -> None:
    def generous(account: Account, command: Any) -> Any:
        if isinstance(command, commands.WithdrawForTransfer):
            rich = replace(account, balance=Money(10**6, "EUR"))
            return accounts.decide(rich, command)
        return accounts.decide(account, command)

    assert "a balance is negative" in search(Rules(decide_account=generous), "too poor")


def test_what_ends_a_transfer_is_never_given_up() -> None:
    worlds = Rules().all_worlds(
        world_with(SOURCES["open"], TARGETS["closed"], ("A", "B"))
    )
    stuck = {
        type(sent.command).__name__ for world in worlds for sent in world.failed
    } - {"WithdrawForTransfer", "DepositFromTransfer"}

    assert stuck == {"ReturnWithdrawal", "CompensateTransfer", "AbandonTransferStep"}
    assert abandoned is Rules().abandoned
