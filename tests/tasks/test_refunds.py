"""Refunds go to the customer's account."""

from dataclasses import replace
from typing import Any

import pytest

from domain.accounts.commands import CloseAccount, DepositRefund
from domain.customers.commands import RegisterCustomer
from domain.orders.commands import RefundPayment
from domain.transfers.process import CannotBeGivenUp
from readmodels import accounts, customers
from tasks import catch_up, commands
from tasks.bootstrap import CUSTOMERS, ORDERS, Shop
from tasks.money import ACCOUNTS, TRANSFERS
from tests.support.desk import alice, cancel, pay, place
from tests.support.money import Bank, opened

refund = RefundPayment(order_id=1, amount=10_000)


@pytest.fixture
def bank(shop: Shop) -> Bank:
    """Alice has paid for an order, and called it off."""
    bank = Bank(shop)
    for command in (alice, place, pay, cancel):
        bank.send(command)
        bank.step()
    return bank


def test_a_refund_opens_an_account_where_there_is_none(bank: Bank) -> None:
    bank.do(refund)

    (line,) = bank.statement("ALICE")
    assert (line.kind, line.order_id, line.balance) == ("refund", 1, 10_000)


def test_a_refund_goes_to_the_account_that_there_is(bank: Bank) -> None:
    bank.do(opened("ALICE"))
    bank.do(refund, RefundPayment(order_id=1, amount=899))

    assert bank.balance("ALICE") == 10_899


def test_a_refund_opens_a_closed_account_again(bank: Bank) -> None:
    bank.do(opened("ALICE"))
    bank.do(CloseAccount(account_id="ALICE"))
    bank.do(refund)

    assert (bank.account("ALICE").status, bank.balance("ALICE")) == ("open", 10_000)


def test_a_refund_is_never_given_up(bank: Bank) -> None:
    bank.send(refund)
    bank.work(bank.with_bug_in(DepositRefund))
    with pytest.raises(CannotBeGivenUp):
        bank.abandon()
    bank.retry()
    bank.work()

    assert bank.balance("ALICE") == 10_000


def test_a_refund_cannot_reach_an_account_of_the_shop(shop: Shop) -> None:
    """Whichever comes first, a name is the customer's or the shop's."""
    bank = Bank(shop)
    tilly = RegisterCustomer(customer_id="till", name="Tilly")
    numbered = RegisterCustomer(name="Nora")
    for command in (opened("till"), tilly, opened("1"), numbered, opened("2")):
        bank.do(command)
    bank.do(opened("1"))

    registered = bank.ask(customers.find, limit=10).rows
    assert [customer.customer_id for customer in registered] == ["1"]
    names = [account.account_id for account in bank.ask(accounts.find).rows]
    assert sorted(names) == ["1", "till"]


def test_a_name_that_two_want_at_once_gets_one_of_them(shop: Shop) -> None:
    bank = Bank(shop)
    tilly = RegisterCustomer(customer_id="till", name="Tilly")
    registering, opening = bank.send(tilly, opened("till"))

    def decide(*state: Any, **others: Any) -> Any:
        """Let the account be opened after it was looked for."""
        commands.run(bank.shop, [opening])
        return CUSTOMERS.decide(*state, **others)

    slices = [replace(CUSTOMERS, decide=decide), ORDERS, ACCOUNTS, TRANSFERS]
    slow = replace(shop, slices=slices)
    vars(slow)["engine"] = shop.engine
    commands.run(slow, [registering])
    catch_up.run(shop)

    assert bank.ask(customers.find, limit=10).rows == []
