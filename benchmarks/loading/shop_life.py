"""What happens in a shop, one command after the other, none of which is rejected."""

import random
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

REGISTER = 0.05
CHANGE = 0.05
PLACE = 0.25
# The rest drives orders on: each that is placed has about 2.8 steps to come.
CANCELLED = 0.1

STEPS = {"pending": "ReceivePayment", "paid": "ShipOrder", "shipped": "ConfirmDelivery"}
GOODS = (("NOTEBOOK", 1_850), ("FOUNTAIN-PEN", 6_900), ("INK", 1_450), ("SEAL", 2_980))
ADDRESS = {"street": "7 Orchard Terrace", "city": "York", "country": "United Kingdom"}


class Command(NamedTuple):
    """A command, as the API takes it."""

    type: str
    data: dict[str, Any]


@dataclass
class ShopLife:
    """
    Who is a customer, which orders are open, and what comes next.

    *name* begins the customers' ids: several loads of one shop keep out of each
    other's way. An order is only driven on from what the list of orders shows.
    """

    name: str
    chance: random.Random
    customers: list[str] = field(default_factory=list)
    ready: deque[Command] = field(default_factory=deque)
    given: set[tuple[int, str]] = field(default_factory=set)
    registered: int = 0
    changed: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> Command:
        """Return the next command, in the mix of a shop."""
        with self.lock:
            kind = self.chance.random()
            if kind < REGISTER:
                return self.register()
            if kind < REGISTER + CHANGE:
                return self.change()
            if kind < REGISTER + CHANGE + PLACE or not self.ready:
                return self.place()
            return self.ready.popleft()

    def register(self) -> Command:
        self.registered += 1
        number = f"{self.name}-{self.registered}"
        return Command("RegisterCustomer", {"customer_id": number, **details(number)})

    def know(self, customer_id: str) -> None:
        """Take note that a customer is registered, so that they may order."""
        with self.lock:
            self.customers.append(customer_id)

    def change(self) -> Command:
        self.changed += 1
        number = self.chance.choice(self.customers)
        return Command(
            "ChangeCustomerDetails",
            {"customer_id": number, **details(number, f"moved {self.changed}")},
        )

    def place(self) -> Command:
        chosen = self.chance.sample(GOODS, self.chance.randint(1, len(GOODS)))
        items = [
            {
                "product": name.title(),
                "product_id": name,
                "quantity": self.chance.randint(1, 9),
                "unit_price": price,
                "discount": self.chance.choice(("0", "0", "0.05")),
            }
            for name, price in chosen
        ]
        return Command(
            "PlaceOrder",
            {
                "customer_id": self.chance.choice(self.customers),
                "items": items,
                "address": ADDRESS,
            },
        )

    def look(self, order: Mapping[str, Any]) -> None:
        """Take note of how far a line of the list says that an order is."""
        number, status = order["order_id"], order["status"]
        if status not in STEPS or not order["customer_id"].startswith(f"{self.name}-"):
            return
        with self.lock:
            if (number, status) not in self.given:
                self.given.add((number, status))
                self.ready.append(self.step(number, status, order["total"]))

    def step(self, number: int, status: str, total: int) -> Command:
        about = {"order_id": number}
        if status != "shipped" and self.chance.random() < CANCELLED:
            return Command("CancelOrder", {**about, "reason": "Changed their mind"})
        match status:
            case "pending":
                return Command("ReceivePayment", {**about, "amount": total})
            case "paid":
                return Command("ShipOrder", {**about, "tracking_no": f"PF{number:09}"})
            case _:
                now = datetime.now(UTC).isoformat()
                return Command("ConfirmDelivery", {**about, "delivered_at": now})


def details(number: str, more: str = "at home") -> dict[str, str]:
    return {
        "name": f"Customer {number}, {more}",
        "email": f"{number.lower()}@example.com",
    }
