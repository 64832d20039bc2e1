"""
The process manager of transfers: which step follows what has happened.

It remembers nothing: every event of a step carries what the next one needs. What it
must hear of is an event, refusals and given-up steps too, so each transfer ends.
"""

from collections.abc import Sequence

from domain.accounts import commands as account_commands
from domain.accounts import events as account_events
from domain.errors import Rejection
from domain.transfers.commands import (
    DEPOSIT,
    WITHDRAWAL,
    AbandonTransferStep,
    CompensateTransfer,
    CompleteTransfer,
    TransferCommand,
)
from domain.transfers.events import TransferRequested, TransferStepAbandoned

EVENTS = (
    TransferRequested,
    account_events.MoneyWithdrawn,
    account_events.WithdrawalRejected,
    account_events.MoneyDeposited,
    account_events.DepositRejected,
    account_events.WithdrawalReturned,
    TransferStepAbandoned,
)
GIVEN_UP = "The {step} failed, and the operator of the shop has given it up."


class CannotBeGivenUp(Rejection):
    """A {command} is tried again until it is done: money is under way without it."""


def react(
    stream_id: str, event: object
) -> Sequence[account_commands.AccountCommand | TransferCommand]:
    """Return the commands that follow *event* in a stream."""
    match event:
        case TransferRequested():
            return [
                account_commands.WithdrawForTransfer(
                    account_id=event.from_account,
                    transfer_id=number_of(stream_id),
                    to_account=event.to_account,
                    amount=event.amount,
                )
            ]
        case account_events.MoneyWithdrawn(
            transfer_id=int(transfer_id), to_account=str(to_account)
        ):
            return [
                account_commands.DepositFromTransfer(
                    account_id=to_account,
                    transfer_id=transfer_id,
                    from_account=name_of(stream_id),
                    amount=event.amount,
                )
            ]
        case account_events.MoneyDeposited(transfer_id=int(transfer_id)):
            return [CompleteTransfer(transfer_id=transfer_id)]
        case account_events.WithdrawalRejected() | account_events.WithdrawalReturned():
            return [
                CompensateTransfer(
                    transfer_id=event.transfer_id, rule=event.rule, reason=event.reason
                )
            ]
        case account_events.DepositRejected():
            return [
                account_commands.ReturnWithdrawal(
                    account_id=event.from_account,
                    transfer_id=event.transfer_id,
                    to_account=name_of(stream_id),
                    amount=event.amount,
                    rule=event.rule,
                    reason=event.reason,
                )
            ]
        case TransferStepAbandoned():
            return after_abandoning(number_of(stream_id), event)
        case _:
            # Money that comes or goes by hand is no step of a transfer.
            return []


def after_abandoning(
    transfer_id: int, event: TransferStepAbandoned
) -> Sequence[account_commands.AccountCommand | TransferCommand]:
    """Return what undoes the steps before the one that was given up."""
    rule, reason = "StepAbandoned", GIVEN_UP.format(step=event.step)
    if event.step == WITHDRAWAL:
        return [CompensateTransfer(transfer_id=transfer_id, rule=rule, reason=reason)]
    return [
        account_commands.ReturnWithdrawal(
            account_id=event.from_account,
            transfer_id=transfer_id,
            to_account=event.to_account,
            amount=event.amount,
            rule=rule,
            reason=reason,
        )
    ]


def abandoned(command: object) -> AbandonTransferStep | None:
    """
    Return what tells a transfer that an operator has given up its *command*.

    None if no process waits for it. Raises CannotBeGivenUp for a command without which
    the transfer would never end, or its money stay in transit.
    """
    match command:
        case account_commands.DepositRefund():
            raise CannotBeGivenUp(command=type(command).__name__)
        case account_commands.WithdrawForTransfer(transfer_id=transfer_id):
            return AbandonTransferStep(transfer_id=transfer_id, step=WITHDRAWAL)
        case account_commands.DepositFromTransfer(transfer_id=transfer_id):
            return AbandonTransferStep(transfer_id=transfer_id, step=DEPOSIT)
        case (
            account_commands.ReturnWithdrawal()
            | CompleteTransfer()
            | CompensateTransfer()
        ):
            raise CannotBeGivenUp(command=type(command).__name__)
        case AbandonTransferStep():
            raise CannotBeGivenUp(command=type(command).__name__)
        case _:
            return None


def number_of(stream_id: str) -> int:
    return int(name_of(stream_id))


def name_of(stream_id: str) -> str:
    return stream_id.partition("-")[2]
