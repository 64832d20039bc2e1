"""Accounts and transfers with telling values, and the shop's work until all is done."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from domain.accounts.commands import Deposit, OpenAccount
from domain.transfers.commands import TransferMoney
from eventstore.journal.operator_actions import ActionResult
from eventstore.journal.take import find_waiting
from readmodels import account_statement, accounts, transfers
from readmodels.account_statement import StatementLine
from readmodels.accounts import AccountView
from readmodels.transfers import TransferView
from tasks import catch_up, command_operations, commands
from tasks.accept import accept
from tasks.shop.deciders import ACCOUNTS
from tasks.shop.wiring import Shop


def opened(account_id: str) -> OpenAccount:
    return OpenAccount(account_id=account_id, currency="EUR")


def with_money(account_id: str, amount: int = 1_000) -> list[Any]:
    """Return what opens an account and brings it some money."""
    return [opened(account_id), Deposit(account_id=account_id, amount=amount)]


keys = map(str, count())


@dataclass
class Bank:
    """A shop at work, step by step; *alice* and *bob* have accounts there."""

    shop: Shop
    alice: str = "ALICE"
    bob: str = "BOB"

    def asked(self, amount: int = 400, *, to: str = "") -> TransferMoney:
        """Return a transfer from Alice, to Bob if it is to nobody else."""
        return TransferMoney(
            from_account=self.alice,
            to_account=to or self.bob,
            amount=amount,
            currency="EUR",
        )

    def send(self, *asked: Any) -> list[UUID]:
        """Accept commands, and leave them waiting."""
        accepted = []
        for command in asked:
            key = next(keys)
            accepted.append(accept(self.shop, command, key=key, principal="staff"))
        return [command_id for command_id, _ in accepted]

    def step(self, shop: Shop | None = None) -> bool:
        """Run all that waits, then hear of what happened; return whether any did."""
        shop = shop or self.shop
        with shop.lent() as connection:
            waiting = find_waiting(connection, patience=-1, most=1_000)
        for _, command_id in waiting:
            commands.run(shop, [command_id])
        catch_up.run(shop)
        return bool(waiting)

    def work(self, shop: Shop | None = None) -> None:
        """Step until nothing waits any more."""
        while self.step(shop):
            pass

    def do(self, *asked: Any) -> None:
        self.send(*asked)
        self.work()

    def with_bug_in(self, *kinds: type) -> Shop:
        """Return the same shop on a day when some commands have a bug."""

        def decide(state: Any, command: Any) -> Any:
            if isinstance(command, kinds):
                raise ZeroDivisionError("a bug")
            return ACCOUNTS.decide(state, command)

        slices = [
            replace(d, decide=decide) if d is ACCOUNTS else d for d in self.shop.slices
        ]
        shop = replace(self.shop, slices=slices)
        # One pool for both: nobody closes a second one.
        vars(shop)["engine"] = self.shop.engine
        return shop

    def has_failed(self) -> bool:
        query = sa.text("SELECT EXISTS (SELECT FROM commands WHERE status = 'failed')")
        with self.shop.engine.connect() as connection:
            return bool(connection.scalar(query))

    def failed(self) -> UUID:
        """Return the last command that has failed."""
        query = sa.text(
            "SELECT id FROM commands WHERE status = 'failed' ORDER BY seq DESC LIMIT 1"
        )
        with self.shop.engine.connect() as connection:
            found: UUID = connection.scalars(query).one()
        return found

    def retry(self) -> None:
        """Put what has failed back, as an operator does."""
        self.decide(command_operations.retry, self.failed())

    def abandon(self) -> None:
        """Give up what has failed, as an operator does, and tell who waits for it."""
        self.decide(command_operations.abandon, self.failed())

    def decide(self, act: Callable[..., ActionResult | None], command_id: UUID) -> None:
        acted = act(self.shop, command_id, by="olga", because="a test wants it")
        assert acted is not None
        assert acted.was_done

    def ask(self, query: Callable[..., Any], *asked: Any, **named: Any) -> Any:
        with self.shop.engine.connect() as connection:
            return query(connection, *asked, **named)

    def account(self, account_id: str) -> AccountView:
        found: AccountView | None = self.ask(accounts.find_one, account_id)
        assert found is not None
        return found

    def balance(self, account_id: str) -> int:
        return self.account(account_id).balance

    def transfer(self) -> TransferView:
        """Return the last transfer that Alice has asked for."""
        page = self.ask(transfers.find, account_id=self.alice, limit=1)
        (found,) = page.rows
        assert isinstance(found, TransferView)
        return found

    def statement(self, account_id: str) -> list[StatementLine]:
        """Return the lines of an account, the first of them first."""
        page = self.ask(account_statement.find, account_id, sort="happened")
        return list(page.rows)
