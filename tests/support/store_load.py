"""Commands at a steady rate, and queries that are asked all the time."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from flask import Flask

from domain.customers import commands as customers
from domain.orders import commands as orders
from tasks import catch_up, commands
from tasks.accept import accept
from tasks.shop.wiring import Shop
from tests.support.desk import CLOCK, LAMP, LONDON

CUSTOMERS = [f"C{number}" for number in range(10)]
TIMES_A_SECOND = 10


@dataclass
class Load:
    """
    Commands of a shop, about *rate* a second, by a thread of its own.

    Orders are placed, paid and shipped, and customers get other names, which changes
    all rows of their orders.
    """

    shop: Shop
    rate: int = 50
    sent: int = 0
    error: BaseException | None = None
    is_over: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> None:
        """Register the customers and place some orders."""
        self.run(
            *[
                customers.RegisterCustomer(customer_id=one, name=f"Name {one}")
                for one in CUSTOMERS
            ]
        )
        self.run(*[self.place(one) for one in CUSTOMERS * 4])

    def place(self, customer_id: str) -> Any:
        return orders.PlaceOrder(
            customer_id=customer_id,
            items=(CLOCK, LAMP),
            address=LONDON,
            currency="EUR",
        )

    def run(self, *asked: Any) -> None:
        ids = [
            accept(self.shop, one, key=str(uuid4()), principal="staff").command_id
            for one in asked
        ]
        commands.run(self.shop, ids)
        catch_up.run(self.shop)
        self.sent += len(asked)

    def one(self, chance: random.Random) -> Any:
        """Return a command by chance; some are rejected."""
        number = chance.randint(1, 40 + self.sent // 4)
        match chance.randint(0, 5):
            case 0:
                return self.place(chance.choice(CUSTOMERS))
            case 1 | 2:
                return orders.ReceivePayment(order_id=number, amount=10_899)
            case 3 | 4:
                return orders.ShipOrder(
                    order_id=number, tracking_no=f"T{chance.randint(0, 10**6)}"
                )
            case _:
                return customers.ChangeCustomerDetails(
                    customer_id=chance.choice(CUSTOMERS),
                    name=f"Name {chance.randint(0, 10**6)}",
                )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Send commands until the end of the context; raise what failed."""
        thread = threading.Thread(target=self.work)
        thread.start()
        try:
            yield
        finally:
            self.is_over.set()
            thread.join()
        if self.error is not None:
            raise self.error

    def work(self) -> None:
        chance = random.Random(7)
        try:
            while not self.is_over.is_set():
                begun = time.monotonic()
                self.run(
                    *[self.one(chance) for _ in range(self.rate // TIMES_A_SECOND)]
                )
                self.is_over.wait(begun + 1 / TIMES_A_SECOND - time.monotonic())
        except BaseException as error:
            self.error = error


@dataclass
class Queries:
    """Queries of the web that are asked one after the other by a thread."""

    app: Flask
    addresses: list[str]
    stores: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[None]:
        is_over = threading.Event()
        thread = threading.Thread(target=self.work, args=(is_over,))
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def work(self, is_over: threading.Event) -> None:
        client = self.app.test_client()
        chance = random.Random(3)
        while not is_over.wait(0.02):
            begun = time.monotonic()
            answer = client.get(chance.choice(self.addresses))
            self.seconds.append(time.monotonic() - begun)
            self.statuses[answer.status_code] += 1
            self.stores[answer.headers.get("Recount-Store", "primary")] += 1
