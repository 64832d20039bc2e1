"""What one client of the shop asks for, one command after the other, from a seed."""

import random
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from tests.faults.load.courses import FREIGHT, MISPLACED, Line, Order, draw_course

ACCOUNTS = 3
"""So many accounts of its own has each client."""
GOODS = (("NOTEBOOK", 1_850), ("FOUNTAIN-PEN", 6_900), ("INK", 1_450), ("SEAL", 2_980))
ADDRESS = {"street": "7 Orchard Terrace", "city": "York", "country": "United Kingdom"}
SOON = timedelta(seconds=2)


class Command(NamedTuple):
    """A command as the API takes it, and the stream that it will be for, if known."""

    type: str
    data: dict[str, Any]
    stream: str = ""
    not_before: str | None = None
    order: Order | None = None


@dataclass
class Story:
    """
    A client with accounts, products, customers and orders of its own.

    Few things are shared. Most of what it asks for is allowed; some is not, like taking
    out more than there is, paying twice or sending money to a mistyped account, and
    ends as rejected.
    """

    name: str
    """The load's; what several loads of one shop make is told apart by it."""
    client: int
    clients: int
    chance: random.Random
    ready: deque[Command] = field(default_factory=deque)
    customers: list[str] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ready.append(self.register())
        self.ready += [self.open(self.account(n)) for n in range(ACCOUNTS)]
        self.ready += [self.add(name, price) for name, price in GOODS]
        if self.client == 0:
            self.ready.append(self.open(self.hot))
        for n in range(ACCOUNTS):
            self.ready.append(self.money("Deposit", self.account(n), 1_000))

    @property
    def hot(self) -> str:
        """The account that all clients pay into."""
        return f"{self.name}-HOT"

    def account(self, number: int, client: int | None = None) -> str:
        client = self.client if client is None else client
        return f"{self.name}-C{client}-{number}"

    def next(self) -> Command:
        """Return the next command."""
        if self.ready:
            return self.ready.popleft()
        [make] = self.chance.choices(
            (
                self.pay_in,
                self.pay_in_hot,
                self.pay_out,
                self.transfer,
                self.place,
                self.drive_on,
                self.register,
                self.change,
                self.rename,
                self.pay_in_later,
            ),
            (20, 14, 9, 9, 15, 24, 3, 4, 1, 1),
        )
        return make()

    def next_of_batch(self) -> Command:
        """Return one for a batch: what does not wait for answers."""
        [make] = self.chance.choices(
            (self.pay_in, self.pay_in_hot, self.pay_out, self.place, self.transfer),
            (45, 10, 15, 28, 2),
        )
        return make()

    def open(self, account: str) -> Command:
        return Command("OpenAccount", {"account_id": account}, f"account-{account}")

    def money(self, type_: str, account: str, amount: int) -> Command:
        data = {"account_id": account, "amount": amount}
        return Command(type_, data, f"account-{account}")

    def own(self) -> str:
        return self.account(self.chance.randrange(ACCOUNTS))

    def pay_in(self) -> Command:
        return self.money("Deposit", self.own(), self.chance.randint(1, 500))

    def pay_in_hot(self) -> Command:
        return self.money("Deposit", self.hot, self.chance.randint(1, 500))

    def pay_out(self) -> Command:
        return self.money("Withdraw", self.own(), self.chance.randint(1, 900))

    def pay_in_later(self) -> Command:
        moment = (datetime.now(UTC) + SOON).isoformat()
        return self.pay_in()._replace(not_before=moment)

    def transfer(self) -> Command:
        target = self.account(
            self.chance.randrange(ACCOUNTS), self.chance.randrange(self.clients)
        )
        source = self.own()
        if target == source or self.chance.random() < 0.1:
            target = f"{self.name}-MISTYPED"
        amount = self.chance.randint(1, 600)
        data = {"from_account": source, "to_account": target, "amount": amount}
        return Command("TransferMoney", data)

    def product(self, name: str) -> str:
        return f"{self.name}-C{self.client}-{name}"

    def add(self, name: str, price: int) -> Command:
        product = self.product(name)
        data = {"product_id": product, "name": name, "unit_price": price}
        return Command("AddProduct", data, f"product-{product}")

    def rename(self) -> Command:
        """Return another name for a product; what it costs its client knows."""
        name, _ = self.chance.choice(GOODS)
        product = self.product(name)
        called = f"{name} {self.chance.randrange(1_000)}"
        data = {"product_id": product, "name": called}
        return Command("RenameProduct", data, f"product-{product}")

    def place(self) -> Command:
        """Return an order of what is on the list, at its prices or at another one."""
        if not self.customers:
            return self.register()
        lines = [
            Line(self.product(name), self.chance.randint(1, 9), price)
            for name, price in self.chance.sample(GOODS, self.chance.randint(1, 4))
        ]
        items: list[dict[str, Any]] = [
            {"product_id": line.product_id, "quantity": line.quantity} for line in lines
        ]
        if self.chance.random() < 0.1:
            # Not far from the list's: that would be asked back.
            lines[0].price = items[0]["unit_price"] = lines[0].price - 77
        course = draw_course(self.chance)
        order = Order(self.chance.choice(self.customers), lines, [*course.steps])
        data = {
            "customer_id": order.customer_id,
            "items": items,
            "address": ADDRESS,
            "freight": FREIGHT,
            "terms": course.terms,
        }
        return Command("PlaceOrder", data, order=order)

    def keep(self, order: Order) -> None:
        """Take note of an order that was accepted and has its number."""
        self.orders.append(order)

    def drive_on(self) -> Command:
        """Return the next step of an order, or one that its state does not allow."""
        if not self.orders:
            return self.place()
        order = self.chance.choice(self.orders)
        if self.chance.random() < 0.1:
            step = self.chance.choice(MISPLACED)(order)
        else:
            step = order.steps.pop(0)(order)
        if not order.steps:
            self.orders.remove(order)
        data = {"order_id": order.number, **step.data}
        return Command(step.type, data, f"order-{order.number}")

    def register(self) -> Command:
        customer = f"{self.name}-C{self.client}-P{len(self.customers)}"
        self.customers.append(customer)
        return self.customer("RegisterCustomer", customer, "at home")

    def change(self) -> Command:
        customer = self.chance.choice(self.customers)
        where = f"moved {self.chance.randrange(1_000_000)} times"
        return self.customer("ChangeCustomerDetails", customer, where)

    def customer(self, type_: str, customer: str, where: str) -> Command:
        name = f"Customer {customer}, {where}"
        data = {"customer_id": customer, "name": name}
        return Command(type_, data, f"customer-{customer}")
