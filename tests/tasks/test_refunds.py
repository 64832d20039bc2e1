"""Refunds go to the customer's account."""

import pytest

from domain.accounts.commands import CloseAccount, DepositRefund
from domain.orders.commands import RefundPayment
from domain.transfers.process import CannotBeGivenUp
from tasks.shop.wiring import Shop
from tests.support.desk import alice, cancel, pay, place, return_one_clock, ship
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


def test_what_came_back_is_refunded_to_the_account(shop: Shop) -> None:
    bank = Bank(shop)
    for command in (alice, place, pay, ship, return_one_clock):
        bank.send(command)
        bank.step()
    bank.do(RefundPayment(order_id=1, amount=4_950))

    (line,) = bank.statement("ALICE")
    assert (line.kind, line.order_id, line.balance) == ("refund", 1, 4_950)


def test_a_refund_is_never_given_up(bank: Bank) -> None:
    bank.send(refund)
    bank.work(bank.with_bug_in(DepositRefund))
    with pytest.raises(CannotBeGivenUp):
        bank.abandon()
    bank.retry()
    bank.work()

    assert bank.balance("ALICE") == 10_000
