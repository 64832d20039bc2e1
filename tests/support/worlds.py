"""
Every course that transfers can take, in memory: the shipped rules and nothing else.

A world is what there is at one moment: accounts, transfers, commands that wait or have
failed, and events that no process manager has heard of yet. `steps` are all that can
happen next. Worlds are compared by what is in them, so going round in circles, as with
a step that fails and is tried again for ever, comes to an end.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from domain.accounts import account as accounts
from domain.accounts.account import Account
from domain.accounts.commands import AccountCommand
from domain.accounts.events import MoneyDeposited, MoneyWithdrawn, WithdrawalReturned
from domain.errors import Rejection
from domain.transfers import transfer as transfers
from domain.transfers.process import abandoned, react
from domain.transfers.transfer import Status, Transfer

React = Callable[[str, Any], Any]
Abandoned = Callable[[Any], Any]
ENDS = (Status.COMPLETED, Status.COMPENSATED)


@dataclass(frozen=True, slots=True)
class Sent:
    """A command and the stream that it goes to."""

    stream_id: str
    command: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What there is at one moment; *outside* are commands of people, still to come."""

    states: tuple[tuple[str, Any], ...]
    waiting: frozenset[Sent] = frozenset()
    failed: frozenset[Sent] = frozenset()
    unheard: tuple[tuple[str, Any], ...] = ()
    outside: frozenset[Sent] = frozenset()
    # By transfer, how often its money has come, and gone back.
    moved: tuple[tuple[int, str], ...] = ()
    paid_in: int = 0

    @property
    def is_over(self) -> bool:
        return not (self.waiting or self.failed or self.unheard)

    @property
    def balances(self) -> dict[str, int]:
        return {
            stream_id: state.balance.amount
            for stream_id, state in self.states
            if isinstance(state, Account)
        }

    @property
    def transfers(self) -> dict[int, Transfer]:
        return {
            number_of(stream_id): state
            for stream_id, state in self.states
            if isinstance(state, Transfer)
        }

    def moves_of(self, transfer_id: int) -> list[str]:
        """Return how the money of a transfer has moved, in any order."""
        return sorted(kind for of, kind in self.moved if of == transfer_id)


def number_of(stream_id: str) -> int:
    return int(stream_id.partition("-")[2])


@dataclass(frozen=True, slots=True)
class Rules:
    """What drives the worlds: the shipped functions, unless a test breaks one."""

    react: React = react
    abandoned: Abandoned = abandoned
    decide_account: Callable[[Account, AccountCommand], Any] = accounts.decide

    def steps(self, world: World) -> Iterator[World]:
        """Yield every world that can come next."""
        for sent in world.outside:
            yield self.run(replace(world, outside=world.outside - {sent}), sent)
        for sent in world.waiting:
            rest = world.waiting - {sent}
            yield self.run(replace(world, waiting=rest), sent)
            # It may have a bug, on this day.
            yield replace(world, waiting=rest, failed=world.failed | {sent})
        for sent in world.failed:
            rest = world.failed - {sent}
            yield replace(world, failed=rest, waiting=world.waiting | {sent})
            yield from self.give_up(replace(world, failed=rest), sent)
        if world.unheard:
            yield self.hear(world)

    def run(self, world: World, sent: Sent) -> World:
        """Return the world after a command was decided, or rejected."""
        states = dict(world.states)
        state = states.get(sent.stream_id)
        try:
            if sent.stream_id.startswith("account-"):
                state = state or Account()
                events = self.decide_account(state, sent.command)
                evolve: Callable[..., Any] = accounts.evolve
            else:
                state = state or Transfer()
                events = transfers.decide(state, sent.command)
                evolve = transfers.evolve
        except Rejection:
            return world
        moved, paid_in = list(world.moved), world.paid_in
        for event in events:
            state = evolve(state, event)
            moved += moves_in(event)
            paid_in += paid_by_hand(event)
        states[sent.stream_id] = state
        return replace(
            world,
            states=tuple(sorted(states.items())),
            unheard=(*world.unheard, *((sent.stream_id, e) for e in events)),
            moved=tuple(sorted(moved)),
            paid_in=paid_in,
        )

    def hear(self, world: World) -> World:
        """Return the world after the process manager heard of the next event."""
        (stream_id, event), *rest = world.unheard
        sent = {addressed(command) for command in self.react(stream_id, event)}
        return replace(world, unheard=tuple(rest), waiting=world.waiting | sent)

    def give_up(self, world: World, sent: Sent) -> Iterator[World]:
        """Yield the world in which an operator has abandoned a command, if they may."""
        try:
            follow_up = self.abandoned(sent.command)
        except Rejection:
            return
        told = frozenset() if follow_up is None else {addressed(follow_up)}
        yield replace(world, waiting=world.waiting | told)

    def all_worlds(self, first: World) -> set[World]:
        """Return every world that can come of *first*, up to what is wrong in one."""
        found = {first}
        open_ends = [first]
        while open_ends:
            world = open_ends.pop()
            if fault_in(world) is None:
                new = {*self.steps(world)} - found
                found |= new
                open_ends += new
        return found


def addressed(command: Any) -> Sent:
    account_id = getattr(command, "account_id", None)
    if account_id is not None:
        return Sent(f"account-{account_id}", command)
    return Sent(f"transfer-{command.transfer_id}", command)


def moves_in(event: Any) -> list[tuple[int, str]]:
    match event:
        case MoneyWithdrawn(transfer_id=int(transfer_id)):
            return [(transfer_id, "taken")]
        case MoneyDeposited(transfer_id=int(transfer_id)):
            return [(transfer_id, "brought")]
        case WithdrawalReturned(transfer_id=transfer_id):
            return [(transfer_id, "returned")]
        case _:
            return []


def paid_by_hand(event: Any) -> int:
    match event:
        case MoneyDeposited(transfer_id=None, amount=amount):
            return int(amount)
        case MoneyWithdrawn(transfer_id=None, amount=amount):
            return -int(amount)
        case _:
            return 0


def fault_in(world: World) -> str | None:
    """Return what is wrong with the money of a world, or None."""
    if min(world.balances.values(), default=0) < 0:
        return "a balance is negative"
    in_transit = 0
    for transfer_id, transfer in world.transfers.items():
        moves = world.moves_of(transfer_id)
        amount = transfer.request.amount if transfer.request else 0
        if len(set(moves)) < len(moves) or len(moves) > 2:
            return f"the money of transfer {transfer_id} moved twice"
        in_transit += amount * (len(moves) == 1)
        if transfer.status is Status.COMPLETED and moves != ["brought", "taken"]:
            return f"transfer {transfer_id} is completed, and its money did not arrive"
        if transfer.status is Status.COMPENSATED and moves not in (
            [],
            ["returned", "taken"],
        ):
            return f"transfer {transfer_id} is compensated, and its money is away"
        if world.is_over and transfer.status not in ENDS:
            return f"transfer {transfer_id} never ends"
    if sum(world.balances.values()) + in_transit != world.paid_in:
        return "money was made, or lost"
    return None
