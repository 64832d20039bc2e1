"""The transfer: from its request to one of its two final states."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from domain.errors import Rejection, StateRejection
from domain.transfers import commands, events


class Status(StrEnum):
    """How far a transfer is; NONE is a stream without events."""

    NONE = "none"
    REQUESTED = "requested"
    GIVEN_UP = "given up"
    COMPLETED = "completed"
    COMPENSATED = "compensated"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer, as its events so far leave it."""

    status: Status = Status.NONE
    request: events.TransferRequested | None = None


class SameAccount(Rejection):
    """Money is moved to another account; both are {account_id}."""


class TransferAlreadyRequested(StateRejection):
    """This transfer was requested already; it is {status}."""


class UnknownTransfer(Rejection):
    """There is no transfer {transfer_id}."""


class TransferHasEnded(StateRejection):
    """Transfer {transfer_id} is {status} already."""


def decide(
    transfer: Transfer, command: commands.TransferCommand
) -> list[events.TransferEvent]:
    """Return the events that *command* causes, or raise the rule it breaks."""
    if isinstance(command, commands.TransferMoney):
        return request(transfer, command)
    if transfer.request is None:
        raise UnknownTransfer(transfer_id=command.transfer_id)
    match command:
        case commands.CompleteTransfer():
            if transfer.status is Status.COMPLETED:
                return []
            check_under_way(transfer, command.transfer_id)
            return [events.TransferCompleted()]
        case commands.CompensateTransfer():
            if transfer.status is Status.COMPENSATED:
                return []
            check_under_way(transfer, command.transfer_id)
            return [
                events.TransferCompensated(rule=command.rule, reason=command.reason)
            ]
        case commands.AbandonTransferStep():
            check_under_way(transfer, command.transfer_id)
            return [
                events.TransferStepAbandoned(
                    step=command.step,
                    from_account=transfer.request.from_account,
                    to_account=transfer.request.to_account,
                    amount=transfer.request.amount,
                )
            ]
        case _:
            assert_never(command)


def request(
    transfer: Transfer, command: commands.TransferMoney
) -> list[events.TransferEvent]:
    if command.from_account == command.to_account:
        raise SameAccount(account_id=command.to_account)
    if transfer.status is not Status.NONE:
        raise TransferAlreadyRequested(status=transfer.status)
    return [
        events.TransferRequested(
            from_account=command.from_account,
            to_account=command.to_account,
            amount=command.amount,
            currency=command.currency,
        )
    ]


def check_under_way(transfer: Transfer, transfer_id: int) -> None:
    if transfer.status in (Status.COMPLETED, Status.COMPENSATED):
        raise TransferHasEnded(transfer_id=transfer_id, status=transfer.status)


def evolve(transfer: Transfer, event: events.TransferEvent) -> Transfer:
    """Return the transfer after *event*."""
    match event:
        case events.TransferRequested():
            return Transfer(Status.REQUESTED, event)
        case events.TransferStepAbandoned():
            return replace(transfer, status=Status.GIVEN_UP)
        case events.TransferCompleted():
            return replace(transfer, status=Status.COMPLETED)
        case events.TransferCompensated():
            return replace(transfer, status=Status.COMPENSATED)
        case _:
            assert_never(event)
