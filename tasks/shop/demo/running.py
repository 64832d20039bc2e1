"""
Send the demonstration's commands to the shop, step by step.

A step's name is its key, and its command is the same in every run: so a killed run can
be continued by another, and a run after a complete one changes nothing.
"""

from collections.abc import Callable, Mapping
from typing import Any

from domain.orders.status import Status
from tasks.shop.demo.client import Client, FinishedCommand
from tasks.shop.demo.customers import CUSTOMERS, MOVED
from tasks.shop.demo.orders import ORDERS, Order

NAME = "paper-and-ink"

Orders = dict[str, Order]


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
        customers = self.all_of(
            "RegisterCustomer",
            {name: customer.details() for name, customer in CUSTOMERS.items()},
        )
        numbers = {name: done.subject for name, done in customers.items()}
        placed = self.place(numbers)
        self.all_of(
            "ChangeCustomerDetails",
            {
                name: {"customer_id": numbers[name], **customer.details()}
                for name, customer in MOVED.items()
            },
        )
        self.drive_on({name: int(done.subject) for name, done in placed.items()})

    def place(self, numbers: Mapping[str, str]) -> dict[str, FinishedCommand]:
        return self.all_of(
            "PlaceOrder",
            {
                name: {
                    "customer_id": numbers[order.customer],
                    "items": order.items(self.currency),
                    "address": order.address(),
                    "currency": self.currency,
                }
                for name, order in orders_named(lambda _: True).items()
            },
        )

    def drive_on(self, numbers: Mapping[str, int]) -> None:
        """Pay, cancel, ship and deliver; *numbers* are the order ids by step name."""
        self.all_of(
            "ReceivePayment",
            {
                name: {"order_id": numbers[name], "amount": order.total(self.currency)}
                for name, order in orders_named(lambda order: order.is_paid).items()
            },
        )
        self.all_of(
            "CancelOrder",
            {
                name: {"order_id": numbers[name], "reason": order.reason}
                for name, order in orders_named(
                    lambda order: order.status is Status.CANCELLED
                ).items()
            },
        )
        shipped = self.all_of(
            "ShipOrder",
            {
                name: {"order_id": numbers[name], "tracking_no": tracking_of(name)}
                for name in orders_named(lambda order: order.is_shipped)
            },
        )
        self.all_of(
            "ConfirmDelivery",
            {
                name: {
                    "order_id": numbers[name],
                    # Not this run's time: the next run must send the same command.
                    "delivered_at": shipped[name].finished_at.isoformat(),
                }
                for name in orders_named(lambda order: order.status is Status.DELIVERED)
            },
        )

    def all_of(
        self, type_: str, commands: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, FinishedCommand]:
        """Send these commands; return them when all have succeeded."""
        sent = {
            name: self.client.send(f"demo {NAME}: {type_} {name}", type_, data)
            for name, data in commands.items()
        }
        done = {}
        for name, each in sent.items():
            done[name] = self.client.wait_for(each)
            self.new += each.is_new
            self.advance(1)
        return done


def orders_named(is_meant: Callable[[Order], bool]) -> Orders:
    """Return the orders for which *is_meant* is true, by step name."""
    return {
        f"order-{place}": order
        for place, order in enumerate(ORDERS, 1)
        if is_meant(order)
    }


def tracking_of(name: str) -> str:
    """Return the tracking number that the invented carrier gives an order."""
    place = int(name.partition("-")[2])
    return f"PF{48_110_000 + 7_919 * place}EU"


def count_steps() -> int:
    """Return how many commands a run has."""
    return (
        len(CUSTOMERS)
        + len(MOVED)
        + sum(
            1
            + order.is_paid
            + order.is_shipped
            + (order.status in (Status.DELIVERED, Status.CANCELLED))
            for order in ORDERS
        )
    )
