"""Random histories of the shop: commands of all kinds, of a few people and things."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

from domain.accounts.commands import CloseAccount, Deposit, OpenAccount, Withdraw
from domain.customers.commands import (
    ChangeCustomerDetails,
    ForgetCustomer,
    RegisterCustomer,
)
from domain.orders.commands import Item
from domain.products.commands import (
    AddProduct,
    ChangePrice,
    DiscontinueProduct,
    RenameProduct,
)
from domain.transfers.commands import TransferMoney
from tasks import commands
from tasks.accept import accept
from tasks.shop.wiring import Shop
from tests.support.desk import CLOCK, LAMP, place
from tests.support.order_commands import DAY, OrderCommands

PEOPLE = ("ALICE", "BOB", "CAROL")
ACCOUNTS = ("A", "B")
LISTED = Item(product_id="LAMP", quantity=2)


def random_commands(random: Random, number: int) -> Iterator[Any]:
    """Yield commands that begin with all people and things; some are rejected."""
    for name in PEOPLE:
        yield RegisterCustomer(
            customer_id=name, name=name.title(), email=f"{name.lower()}@example.com"
        )
    for name in ACCOUNTS:
        yield OpenAccount(account_id=name, currency="EUR")
        yield Deposit(account_id=name, amount=1_000)
    yield AddProduct(product_id="LAMP", name="Lamp", unit_price=999, currency="EUR")
    buyers: list[str] = []
    make = OrderCommands(random=random, day=DAY, listed=["LAMP"])
    for n in range(number):
        kind = random.choices(
            ("place", "order", "rename", "account", "transfer", "product", "forget"),
            (6, 18, 3, 5, 2, 2, 0.4),
        )[0]
        if kind == "place" or not buyers:
            buyers.append(random.choice(PEOPLE))
            yield replace(
                place,
                customer_id=buyers[-1],
                items=random.choice([(CLOCK,), (LAMP, CLOCK), (LAMP,), (LISTED, LAMP)]),
                freight=random.choice([None, 650]),
                terms=random.choice([None, 14]),
            )
        elif kind == "order":
            order = random.randrange(len(buyers))
            yield make.next(order + 1, buyers[order])
        elif kind == "product":
            yield command_of_product(random, n)
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


def command_of_product(random: Random, n: int) -> Any:
    return random.choice(
        [
            AddProduct(product_id="LAMP", name="Lamp", unit_price=999, currency="EUR"),
            ChangePrice(product_id="LAMP", unit_price=1_000 + n),
            RenameProduct(product_id="LAMP", name=f"Lamp {n}"),
            DiscontinueProduct(product_id="LAMP"),
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
