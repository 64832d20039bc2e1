"""The rules of a transfer, and what its process manager makes of what happens."""

from dataclasses import replace
from typing import Any

import pytest

from domain.accounts import commands, events
from domain.errors import InvalidInput
from domain.input import parse
from domain.transfers import commands as transfer_commands
from domain.transfers import events as transfer_events
from domain.transfers.process import CannotBeGivenUp, abandoned, react
from domain.transfers.transfer import (
    SameAccount,
    Transfer,
    TransferAlreadyRequested,
    TransferHasEnded,
    UnknownTransfer,
    decide,
    evolve,
)
from eventstore.testing.specification import Specification

transfer = Specification(initial=Transfer(), decide=decide, evolve=evolve)

ask = transfer_commands.TransferMoney(
    from_account="ALICE", to_account="BOB", amount=1_000, currency="EUR"
)
requested = transfer_events.TransferRequested(
    from_account="ALICE", to_account="BOB", amount=1_000, currency="EUR"
)
WHY = {"rule": "AccountIsClosed", "reason": "Account BOB is closed."}
complete = transfer_commands.CompleteTransfer(transfer_id=7)
completed = transfer_events.TransferCompleted()
compensate = transfer_commands.CompensateTransfer(transfer_id=7, **WHY)
compensated = transfer_events.TransferCompensated(**WHY)
give_up = transfer_commands.AbandonTransferStep(transfer_id=7, step="deposit")
given_up = transfer_events.TransferStepAbandoned(
    step="deposit", from_account="ALICE", to_account="BOB", amount=1_000
)
ABANDONED = {
    "rule": "StepAbandoned",
    "reason": "The {} failed, and the operator of the shop has given it up.",
}

withdraw = commands.WithdrawForTransfer(
    account_id="ALICE", transfer_id=7, to_account="BOB", amount=1_000
)
deposit = commands.DepositFromTransfer(
    account_id="BOB", transfer_id=7, from_account="ALICE", amount=1_000
)
give_back = commands.ReturnWithdrawal(
    account_id="ALICE", transfer_id=7, to_account="BOB", amount=1_000, **WHY
)
refund = commands.DepositRefund(
    account_id="ALICE", order_id=1, amount=500, currency="EUR"
)


def test_a_transfer_is_asked_for() -> None:
    transfer.given().when(ask).then(requested)


def test_money_is_moved_to_another_account() -> None:
    same = replace(ask, to_account="ALICE")

    transfer.given().when(same).then_rejected(SameAccount, "both are ALICE")


def test_an_input_that_names_one_account_twice_is_no_command() -> None:
    same = {"from_account": "A", "to_account": "A", "amount": 1, "currency": "EUR"}

    with pytest.raises(InvalidInput) as refusal:
        parse(transfer_commands.TransferMoney, same)

    (fault,) = refusal.value.faults
    assert fault.field == "to_account"
    assert "another account" in fault.problem


def test_a_transfer_is_asked_for_once() -> None:
    transfer.given(requested).when(ask).then_rejected(TransferAlreadyRequested)


@pytest.mark.parametrize("command", [complete, compensate, give_up])
def test_what_was_not_asked_for_has_no_end(command: Any) -> None:
    transfer.given().when(command).then_rejected(UnknownTransfer, "7")


def test_a_transfer_has_one_of_two_ends() -> None:
    transfer.given(requested).when(complete).then(completed)
    transfer.given(requested).when(compensate).then(compensated)
    transfer.given(requested, given_up).when(compensate).then(compensated)


def test_a_step_is_given_up() -> None:
    transfer.given(requested).when(give_up).then(given_up)


def test_ending_twice_changes_nothing() -> None:
    transfer.given(requested, completed).when(complete).then_nothing()
    transfer.given(requested, compensated).when(compensate).then_nothing()


@pytest.mark.parametrize(
    ("end", "command"),
    [
        (completed, compensate),
        (completed, give_up),
        (compensated, complete),
        (compensated, give_up),
    ],
)
def test_a_transfer_that_has_ended_stays_so(end: Any, command: Any) -> None:
    transfer.given(requested, end).when(command).then_rejected(TransferHasEnded)


REACTIONS = {
    "requested": ("transfer-7", requested, withdraw),
    "withdrawn": (
        "account-ALICE",
        events.MoneyWithdrawn(amount=1_000, transfer_id=7, to_account="BOB"),
        deposit,
    ),
    "withdrawal rejected": (
        "account-ALICE",
        events.WithdrawalRejected(amount=1_000, transfer_id=7, to_account="BOB", **WHY),
        compensate,
    ),
    "deposited": (
        "account-BOB",
        events.MoneyDeposited(amount=1_000, transfer_id=7, from_account="ALICE"),
        complete,
    ),
    "deposit rejected": (
        "account-BOB",
        events.DepositRejected(
            amount=1_000, transfer_id=7, from_account="ALICE", **WHY
        ),
        give_back,
    ),
    "returned": (
        "account-ALICE",
        events.WithdrawalReturned(amount=1_000, transfer_id=7, to_account="BOB", **WHY),
        compensate,
    ),
    "withdrawal given up": (
        "transfer-7",
        replace(given_up, step="withdrawal"),
        transfer_commands.CompensateTransfer(
            transfer_id=7,
            rule=ABANDONED["rule"],
            reason=ABANDONED["reason"].format("withdrawal"),
        ),
    ),
    "deposit given up": (
        "transfer-7",
        given_up,
        replace(
            give_back,
            rule=ABANDONED["rule"],
            reason=ABANDONED["reason"].format("deposit"),
        ),
    ),
}


@pytest.mark.parametrize(
    ("stream_id", "event", "command"), REACTIONS.values(), ids=REACTIONS
)
def test_each_step_is_followed_by_the_next(
    stream_id: str, event: Any, command: Any
) -> None:
    assert list(react(stream_id, event)) == [command]


@pytest.mark.parametrize(
    "event",
    [
        events.MoneyDeposited(amount=1_000),
        events.MoneyDeposited(amount=1_000, order_id=1),
        events.MoneyWithdrawn(amount=1_000),
        events.AccountOpened(currency="EUR"),
    ],
)
def test_what_is_no_step_of_a_transfer_is_followed_by_nothing(event: Any) -> None:
    assert not react("account-ALICE", event)


def test_a_transfer_hears_of_the_step_that_was_given_up() -> None:
    assert abandoned(withdraw) == transfer_commands.AbandonTransferStep(
        transfer_id=7, step="withdrawal"
    )
    assert abandoned(deposit) == transfer_commands.AbandonTransferStep(
        transfer_id=7, step="deposit"
    )


@pytest.mark.parametrize("command", [give_back, complete, compensate, give_up, refund])
def test_what_brings_a_transfer_to_its_end_cannot_be_given_up(command: Any) -> None:
    with pytest.raises(CannotBeGivenUp, match=type(command).__name__):
        abandoned(command)


def test_what_a_client_sent_can_be_given_up_without_a_word() -> None:
    assert abandoned(ask) is None
    assert abandoned(commands.Deposit(account_id="ALICE", amount=1)) is None
