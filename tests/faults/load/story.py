"""What one client of the shop asks for, one command after the other, from a seed."""

import random
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

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
    order: "Order | None" = None


@dataclass(eq=False)
class Order:
    """An order of this client: its number, once it is known, and how far it is."""

    total: int
    number: int | None = None
    step: str = "placed"


@dataclass
class Story:
    """
    A client with accounts, customers and orders of its own, and a few shared things.

    Most of what it asks for is allowed; some is not, like taking out more than there
    is, paying twice or sending money to a mistyped account, and ends as rejected.
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
                self.pay_in_later,
            ),
            (22, 15, 10, 10, 15, 20, 3, 4, 1),
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

    def place(self) -> Command:
        if not self.customers:
            return self.register()
        chosen = self.chance.sample(GOODS, self.chance.randint(1, len(GOODS)))
        items = []
        total = 0
        for name, price in chosen:
            quantity = self.chance.randint(1, 9)
            total += quantity * price
            item = {"product": name, "quantity": quantity, "unit_price": price}
            items.append(item)
        data = {
            "customer_id": self.chance.choice(self.customers),
            "items": items,
            "address": ADDRESS,
        }
        return Command("PlaceOrder", data, order=Order(total))

    def keep(self, order: Order) -> None:
        """Take note of an order that was accepted and has its number."""
        self.orders.append(order)

    def drive_on(self) -> Command:
        """Return the next step of an order, or one that its state does not allow."""
        if not self.orders:
            return self.place()
        order = self.chance.choice(self.orders)
        about = {"order_id": order.number}
        stream = f"order-{order.number}"
        paid = Command("ReceivePayment", {**about, "amount": order.total}, stream)
        shipped = Command("ShipOrder", {**about, "tracking_no": "PF-7"}, stream)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        there = Command("ConfirmDelivery", {**about, "delivered_at": now}, stream)
        off = Command("CancelOrder", {**about, "reason": "Changed my mind"}, stream)
        back = Command("RefundPayment", {**about, "amount": order.total}, stream)
        steps = {
            "placed": (paid, "paid"),
            "paid": (shipped, "shipped"),
            "shipped": (there, "delivered"),
            "called off": (back, "delivered"),
        }
        if order.step == "paid" and self.chance.random() < 0.3:
            step, order.step = off, "called off"
        elif self.chance.random() < 0.1:
            # Too early, too late or once more: refused by a rule, most of the time.
            step = self.chance.choice((shipped, there, paid))
        else:
            step, order.step = steps[order.step]
        if order.step == "delivered":
            self.orders.remove(order)
        return step

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
