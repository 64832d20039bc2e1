"""A short life of a shop in which something of every kind happens."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg

from domain.accounts.commands import CloseAccount, Deposit, OpenAccount, Withdraw
from domain.customers.commands import ForgetCustomer
from domain.orders.commands import (
    ChangedItem,
    Item,
    ReceivePayment,
    RefundPayment,
    ShipOrder,
)
from domain.products.commands import AddProduct
from domain.transfers.commands import TransferMoney
from eventstore.aggregates.decider import Deciders
from tests.faults.answers import Attempt
from tests.support import desk
from tests.support.sending import Sender
from tests.support.waiting import wait_until


@dataclass
class History:
    """What a client was answered, and the tables after it."""

    connection: psycopg.Connection[Any]
    attempts: Sequence[Attempt]
    deciders: Deciders

    def id_of(self, type_: str, **data: Any) -> str:
        """Return the first command of a type that says that."""
        found = next(
            a.command_id
            for a in self.attempts
            if a.type == type_ and data.items() <= a.data.items()
        )
        assert found is not None
        return found


def transfer(amount: int, to: str = "BOB") -> TransferMoney:
    return TransferMoney(
        from_account="ALICE", to_account=to, amount=amount, currency="EUR"
    )


def live(sender: Sender) -> None:
    """Have something happen of every kind: orders, refusals, no-ops, transfers."""
    sender.do(desk.alice, desk.bob, desk.rename, desk.rename)
    sender.do(desk.place, desk.place, desk.place)
    sender.do(desk.pay, desk.ship, desk.deliver)
    second, third = (replace(desk.cancel, order_id=number) for number in (2, 3))
    sender.do(replace(desk.pay, order_id=2), second, second)
    sender.do(RefundPayment(order_id=2, amount=899))
    sender.do(ShipOrder(order_id=3, tracking_no="1Z-1"), third)
    keep_a_price_list(sender)
    sell_on_account(sender)
    wait_for_money(sender)
    sender.do(*(OpenAccount(account_id=a, currency="EUR") for a in ("BOB", "CAROL")))
    sender.do(Deposit(account_id="ALICE", amount=5_000))
    sender.do(Withdraw(account_id="ALICE", amount=50), transfer(400))
    sender.do(transfer(9_000), transfer(100, to="NOBODY"), transfer(7, to="BOB"))
    sender.do(CloseAccount(account_id="CAROL"), CloseAccount(account_id="CAROL"))
    sender.do(transfer(5, to="CAROL"), ForgetCustomer(customer_id="BOB"))
    sender.do(*(Deposit(account_id="BOB", amount=amount) for amount in (11, 12)))
    sender.do(Withdraw(account_id="ALICE", amount=90_000))
    later = Deposit(account_id="BOB", amount=13)
    sender.take_back(sender.send(later, not_before=datetime.max.replace(tzinfo=UTC)))
    sender.send(later, not_before=datetime.now(UTC))
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    for amount in (16, 17):
        sender.send(Deposit(account_id="BOB", amount=amount), not_before=soon)
    wait_until(lambda: datetime.now(UTC) > soon, "it is time for what is for later")
    sender.send_batch(*(Deposit(account_id="ALICE", amount=a) for a in (14, 15)))
    same = Deposit(account_id="BOB", amount=1)
    for asked in (same, same, replace(same, amount=2)):
        sender.send(asked, key="the same")
    sender.work()


def keep_a_price_list(sender: Sender) -> None:
    """Change what is on the list; twice the same is no change."""
    sender.do(desk.add_clock, desk.raise_price, desk.raise_price)
    sender.do(desk.rename_clock, desk.rename_clock)
    lamp = AddProduct(name="LAMP", unit_price=999, currency="EUR")
    sender.do(lamp, desk.add_clock)


def sell_on_account(sender: Sender) -> None:
    """Sell order 4: it is changed, goes in two parcels, is paid late and comes back."""
    items = (Item(product_id="RC-1", quantity=4), Item(product_id="1", quantity=1))
    on_account = replace(desk.place, items=items, freight=650, terms=14)
    sender.do(on_account, desk.discontinue)
    new = ChangedItem(product="ENGRAVING", quantity=1, unit_price=1_200)
    changed = replace(
        desk.three_clocks, order_id=4, items=(*desk.three_clocks.items, new)
    )
    of_four = partial(replace, order_id=4)
    # The second time the engraving is another line; the last one changes nothing.
    other = ChangedItem(line=4, quantity=1)
    same = replace(changed, items=(*desk.three_clocks.items, other))
    sender.do(changed, changed, same, of_four(desk.to_paris))
    sender.do(of_four(desk.pay_part), of_four(desk.void), of_four(desk.void))
    sender.do(of_four(desk.ship_one_clock), of_four(desk.ship))
    sender.do(of_four(desk.correct_tracking), of_four(desk.correct_tracking))
    # 3 clocks of 5250, the lamp, the engraving and the freight.
    for amount in (8_000, 10_599, 1):
        sender.do(ReceivePayment(order_id=4, amount=amount))
    sender.do(of_four(desk.deliver), of_four(desk.return_one_clock))
    sender.do(RefundPayment(order_id=4, amount=5_250), of_four(desk.note))
    sender.do(of_four(desk.return_all), of_four(desk.return_all))


def wait_for_money(sender: Sender) -> None:
    """Leave order 5 alone for a while; twice the same day is no change."""
    sender.do(desk.place, *[replace(desk.put_off, order_id=5)] * 2)
    of_five = partial(replace, order_id=5)
    one_clock = ChangedItem(line=1, quantity=1)
    sender.do(of_five(desk.ship_one_clock), of_five(desk.pay))
    # What is left of it was all sent.
    sender.do(
        of_five(desk.ship_one_clock), of_five(desk.three_clocks, items=(one_clock,))
    )
