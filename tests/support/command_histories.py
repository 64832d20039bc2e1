"""Random histories of the shop: commands of all kinds, of a few people and accounts."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

from domain.accounts.commands import CloseAccount, Deposit, OpenAccount, Withdraw
from domain.customers.commands import (
    ChangeCustomerDetails,
    ForgetCustomer,
    RegisterCustomer,
)
from domain.orders.commands import (
    CancelOrder,
    ConfirmDelivery,
    ReceivePayment,
    ShipOrder,
)
from domain.transfers.commands import TransferMoney
from tasks import commands
from tasks.accept import accept
from tasks.shop.wiring import Shop
from tests.support.desk import CLOCK, LAMP, place

PEOPLE = ("ALICE", "BOB", "CAROL")
ACCOUNTS = ("A", "B")
DAY = datetime(2026, 12, 24, tzinfo=UTC)


def random_commands(random: Random, number: int) -> Iterator[Any]:
    """Yield commands that begin with all people and accounts; some are rejected."""
    for name in PEOPLE:
        yield RegisterCustomer(
            customer_id=name, name=name.title(), email=f"{name.lower()}@example.com"
        )
    for name in ACCOUNTS:
        yield OpenAccount(account_id=name, currency="EUR")
        yield Deposit(account_id=name, amount=1_000)
    orders = 0
    for n in range(number):
        kind = random.choices(
            ("place", "order", "rename", "account", "transfer", "forget"),
            (6, 12, 3, 5, 2, 0.4),
        )[0]
        if kind == "place" or not orders:
            orders += 1
            yield replace(
                place,
                customer_id=random.choice(PEOPLE),
                items=random.choice([(CLOCK,), (LAMP, CLOCK), (LAMP,)]),
            )
        elif kind == "order":
            yield command_of_order(random, random.randint(1, orders))
        elif kind == "rename":
            yield ChangeCustomerDetails(
                customer_id=random.choice(PEOPLE),
                name=f"Name {n}",
                email=random.choice([None, f"n{n}@example.com"]),
            )
        elif kind == "account":
            yield command_of_account(random)
        elif kind == "transfer":
            yield TransferMoney(
                from_account=random.choice(ACCOUNTS),
                to_account=random.choice(ACCOUNTS),
                amount=random.randint(1, 900),
                currency="EUR",
            )
        else:
            yield ForgetCustomer(customer_id=random.choice(PEOPLE))


def command_of_order(random: Random, order_id: int) -> Any:
    return random.choice(
        [
            ReceivePayment(order_id=order_id, amount=random.choice([999, 10_899])),
            ShipOrder(order_id=order_id, tracking_no=f"1Z-{order_id}"),
            ConfirmDelivery(order_id=order_id, delivered_at=DAY),
            CancelOrder(order_id=order_id, reason="bought it twice"),
        ]
    )


def command_of_account(random: Random) -> Any:
    account_id = random.choice(ACCOUNTS)
    return random.choice(
        [
            Deposit(account_id=account_id, amount=random.randint(1, 500)),
            Withdraw(account_id=account_id, amount=random.randint(1, 500)),
            CloseAccount(account_id=account_id),
            OpenAccount(account_id=account_id, currency="EUR"),
        ]
    )


def happen(shop: Shop, *asked: Any, key: str = "") -> None:
    """Carry commands out; no read model reads what came of them."""
    for n, command in enumerate(asked):
        accepted = accept(shop, command, key=f"{key}{n}", principal="staff")
        commands.run(shop, [accepted.command_id])
