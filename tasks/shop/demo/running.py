"""
Send the demonstration's commands to the shop, step by step.

A step's name is its key, and its command is the same in every run: so a killed run can
be continued by another, and a run after a complete one changes nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tasks.shop.demo.client import Client, FinishedCommand
from tasks.shop.demo.customers import CUSTOMERS, MOVED
from tasks.shop.demo.goods import PRODUCTS
from tasks.shop.demo.orders import ORDERS
from tasks.shop.demo.stages import PLACING, STAGES, Live, Stage

NAME = "paper-and-ink"
OF_ORDERS = "paper-and-ink by its list"
"""Other keys than those of a demo without a price list, whose customers buy on."""


class Demo:
    """One run; *advance* is called for each command that has succeeded."""

    def __init__(
        self, client: Client, currency: str, advance: Callable[[int], None]
    ) -> None:
        self.client = client
        self.currency = currency
        self.advance = advance
        self.new = 0

    def run(self) -> None:
        """
        Send all commands, each after those that it needs have succeeded.

        Raises DemoFailed if one is rejected, fails or is not run.
        """
        self.fill_price_list()
        numbers = self.register_customers()
        live = Live(currency=self.currency, customers=numbers)
        self.carry_out(PLACING, live)
        self.all_of(
            "ChangeCustomerDetails",
            {
                f"ChangeCustomerDetails {name}": {
                    "customer_id": numbers[name],
                    **customer.details(),
                }
                for name, customer in MOVED.items()
            },
        )
        for stage in STAGES:
            self.carry_out(stage, live)

    def fill_price_list(self) -> None:
        self.all_of(
            "AddProduct",
            {
                f"AddProduct {product_id}": {
                    "product_id": product_id,
                    "name": product.name,
                    "unit_price": product.price_in(self.currency),
                    "currency": self.currency,
                }
                for product_id, product in PRODUCTS.items()
            },
        )

    def register_customers(self) -> dict[str, str]:
        """Register the customers; return the number that the shop gave each."""
        done = self.all_of(
            "RegisterCustomer",
            {
                f"RegisterCustomer {name}": customer.details()
                for name, customer in CUSTOMERS.items()
            },
        )
        return {
            name: each.subject
            for name, each in zip(CUSTOMERS, done.values(), strict=True)
        }

    def carry_out(self, stage: Stage, live: Live) -> None:
        """Send the commands of a stage, and note what came of them."""
        orders = stage.orders
        commands = {}
        for name, order in orders.items():
            data = dict(stage.data(live, name, order))
            if stage is not PLACING:
                data["order_id"] = live.number_of(name)
            commands[f"{stage.name} {name}"] = data
        done = self.all_of(stage.command, commands, of=OF_ORDERS)
        live.done[stage.name] = dict(zip(orders, done.values(), strict=True))

    def all_of(
        self, type_: str, commands: Mapping[str, Mapping[str, Any]], of: str = NAME
    ) -> dict[str, FinishedCommand]:
        """Send these commands, by step; return them when all have succeeded."""
        sent = {
            step: self.client.send(f"demo {of}: {step}", type_, data)
            for step, data in commands.items()
        }
        done = {}
        for step, each in sent.items():
            done[step] = self.client.wait_for(each)
            self.new += each.is_new
            self.advance(1)
        return done


def count_steps() -> int:
    """Return how many commands a run has."""
    goods_and_people = len(PRODUCTS) + len(CUSTOMERS) + len(MOVED)
    return goods_and_people + len(ORDERS) + sum(len(stage.orders) for stage in STAGES)
