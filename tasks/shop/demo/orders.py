"""The orders of the invented shop: for whom, of what, and how far they get."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain.money import rounded_total
from domain.orders.status import Status
from tasks.shop.demo.customers import CUSTOMERS
from tasks.shop.demo.goods import PRODUCTS

PENDING, PAID, SHIPPED, DELIVERED, CANCELLED = (
    Status.PENDING,
    Status.PAID,
    Status.SHIPPED,
    Status.DELIVERED,
    Status.CANCELLED,
)


@dataclass(frozen=True, slots=True)
class Order:
    """An order: how far it gets, for whom, and how many of each product."""

    status: Status
    customer: str
    quantities: Mapping[str, int]
    discount: str = "0"
    reason: str = ""
    was_paid: bool = False

    @property
    def is_paid(self) -> bool:
        return self.was_paid or self.status in (PAID, SHIPPED, DELIVERED)

    @property
    def is_shipped(self) -> bool:
        return self.status in (SHIPPED, DELIVERED)

    def items(self, currency: str) -> list[dict[str, Any]]:
        """Return the lines as a PlaceOrder has them."""
        return [
            {
                "product": PRODUCTS[product_id].name,
                "product_id": product_id,
                "quantity": quantity,
                "unit_price": PRODUCTS[product_id].price_in(currency),
                "discount": self.discount,
            }
            for product_id, quantity in self.quantities.items()
        ]

    def total(self, currency: str) -> int:
        return rounded_total(
            (item["unit_price"], item["quantity"], Decimal(item["discount"]))
            for item in self.items(currency)
        )

    def address(self) -> dict[str, str]:
        """Return the shipping address: the customer's at the time of the order."""
        customer = CUSTOMERS[self.customer]
        return {"name": customer.name, **customer.address}


ORDERS = (
    Order(DELIVERED, "asa", {"FP-MOEWE-F": 1, "INK-NIGHT": 2}),
    Order(DELIVERED, "bennett", {"NB-A5-DOT": 3, "PENCIL-6": 1}),
    Order(DELIVERED, "kauz", {"NB-A5-DOT": 40, "NB-A6-RUL": 60}, "0.15"),
    Order(DELIVERED, "irmas", {"INK-SEPIA": 24, "INK-MOSS": 12, "WAX-RED": 18}, "0.1"),
    Order(CANCELLED, "novak", {"SEAL": 1}, reason="The letter on it should be a Ř"),
    Order(DELIVERED, "novak", {"SEAL": 1, "WAX-RED": 2}),
    Order(DELIVERED, "sato", {"PAPER-COT": 2, "ENV-C6": 2, "FP-ATLAS": 1}),
    Order(DELIVERED, "garonne", {"BLOT-PAD": 35, "PAPER-COT": 120}, "0.125"),
    Order(DELIVERED, "jokull", {"NB-SKETCH": 15, "PENCIL-6": 30}, "0.1"),
    Order(DELIVERED, "kowal", {"DIP-SET": 1, "INK-SEPIA": 1, "CARD-FOLD": 2}),
    Order(DELIVERED, "harper", {"FP-MOEWE-F": 10, "FP-MOEWE-B": 6}, "0.15"),
    Order(DELIVERED, "iris", {"NB-SKETCH": 1, "PENCIL-6": 2}),
    Order(DELIVERED, "asa", {"INK-NIGHT": 1, "ENV-C6": 1}),
    Order(
        CANCELLED,
        "nunez",
        {"FP-ATLAS": 3},
        reason="Delivered too late for the fair; the money goes back",
        was_paid=True,
    ),
    Order(DELIVERED, "nunez", {"NB-A5-DOT": 25, "FP-MOEWE-F": 5}, "0.1"),
    Order(DELIVERED, "bennett", {"CASE-3": 1}),
    Order(DELIVERED, "kauz", {"WAX-RED": 30, "SEAL": 8}, "0.1"),
    Order(SHIPPED, "sato", {"INK-MOSS": 2, "INK-NIGHT": 2, "INK-SEPIA": 2}),
    Order(DELIVERED, "irmas", {"CARD-FOLD": 40, "ENV-C6": 40}, "0.1"),
    Order(SHIPPED, "kowal", {"NB-A6-RUL": 4}),
    Order(SHIPPED, "garonne", {"INK-NIGHT": 60, "INK-SEPIA": 60}, "0.15"),
    Order(CANCELLED, "harper", {"BLOT-PAD": 4}, reason="Ordered twice by mistake"),
    Order(SHIPPED, "harper", {"BLOT-PAD": 4, "PAPER-COT": 12}, "0.05"),
    Order(SHIPPED, "jokull", {"FP-MOEWE-B": 8, "INK-NIGHT": 16}, "0.1"),
    Order(SHIPPED, "iris", {"FP-ATLAS": 1, "CASE-3": 1}),
    Order(PAID, "bennett", {"FP-MOEWE-B": 1, "INK-MOSS": 1}),
    Order(SHIPPED, "asa", {"NB-A5-DOT": 2, "NB-A6-RUL": 1}),
    Order(SHIPPED, "nunez", {"DIP-SET": 12, "INK-SEPIA": 12}, "0.1"),
    Order(PAID, "kauz", {"NB-SKETCH": 20, "PENCIL-6": 20}, "0.15"),
    Order(PENDING, "novak", {"FP-MOEWE-F": 1, "INK-NIGHT": 1, "BLOT-PAD": 1}),
    Order(PAID, "irmas", {"FP-ATLAS": 2, "CASE-3": 2}, "0.05"),
    Order(CANCELLED, "kowal", {"CASE-3": 1}, reason="Changed my mind"),
    Order(PAID, "sato", {"NB-A6-RUL": 2, "CARD-FOLD": 1}),
    Order(PAID, "jokull", {"ENV-C6": 50, "PAPER-COT": 20}, "0.1"),
    Order(PENDING, "garonne", {"CARD-FOLD": 200}, "0.2"),
    Order(PAID, "iris", {"WAX-RED": 1, "SEAL": 1, "ENV-C6": 3}),
    Order(PENDING, "harper", {"DIP-SET": 15, "INK-MOSS": 30}, "0.125"),
    Order(PENDING, "asa", {"FP-ATLAS": 1}),
    Order(PENDING, "nunez", {"BLOT-PAD": 10, "PENCIL-6": 24}, "0.1"),
    Order(PENDING, "kowal", {"INK-NIGHT": 1, "PAPER-COT": 1}),
)
