"""The orders of the live demo: for whom, of what, and how far they get."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from domain.money import rounded_total
from domain.orders.status import Status
from tasks.shop.demo.customers import CUSTOMERS, at
from tasks.shop.demo.goods import ENGRAVING, FREIGHT, PRODUCTS, amount_in, engraving_in

PENDING, PAID, SHIPPED, DELIVERED, RETURNED, CANCELLED = (
    Status.PENDING,
    Status.PAID,
    Status.SHIPPED,
    Status.DELIVERED,
    Status.RETURNED,
    Status.CANCELLED,
)

Quantities = Mapping[str, int]
"""How many of each product, by its id."""


@dataclass(frozen=True, slots=True)
class Order:
    """
    An order: how far it gets, for whom, and how many of each product.

    Amounts are in hundredths: *freight*, and *agreed*, prices that are not the list's.
    With *terms*, days to pay, it is shipped before it is paid; *is_open* is not paid
    yet. It is paid in *parts*, of which only the first came in if *is_part_paid*, and
    the last one bounces if *is_bounced*. *placed* are the quantities before they were
    changed, *parcel* those of the first parcel, *returned* what came back. If it
    *is_mistyped*, its tracking number is; it is waited for some days, *put_off*.
    """

    status: Status
    customer: str
    quantities: Quantities
    discount: str = "0"
    reason: str = ""
    was_paid: bool = False
    freight: int = 0
    terms: int | None = None
    is_open: bool = False
    agreed: Mapping[str, int] = field(default_factory=dict)
    is_engraved: bool = False
    parts: int = 1
    is_part_paid: bool = False
    is_bounced: bool = False
    placed: Quantities | None = None
    parcel: Quantities | None = None
    returned: Quantities | None = None
    elsewhere: Mapping[str, str] | None = None
    is_mistyped: bool = False
    note: str = ""
    put_off: int = 0

    @property
    def is_paid(self) -> bool:
        """True if all that is due for it comes in."""
        is_settled = self.status is PAID or (self.is_shipped and not self.is_open)
        return self.was_paid or is_settled

    @property
    def is_shipped(self) -> bool:
        return self.status in (SHIPPED, DELIVERED, RETURNED)

    @property
    def is_delivered(self) -> bool:
        return self.status in (DELIVERED, RETURNED)

    def items(self, currency: str) -> list[dict[str, Any]]:
        """Return the lines as a PlaceOrder has them."""
        placed = self.quantities if self.placed is None else self.placed
        items: list[dict[str, Any]] = [
            {"product_id": product_id, "quantity": quantity, "discount": self.discount}
            for product_id, quantity in placed.items()
        ]
        for item in items:
            if item["product_id"] in self.agreed:
                price = self.agreed[item["product_id"]]
                item["unit_price"] = amount_in(currency, price)
        return [*items, engraving_in(currency)] if self.is_engraved else items

    def lines(self, quantities: Quantities) -> list[dict[str, int]]:
        """Return *quantities* of products as those of the order's lines."""
        numbers = {name: number for number, name in enumerate(self.quantities, 1)}
        return [
            {"line": numbers[product_id], "quantity": quantity}
            for product_id, quantity in quantities.items()
        ]

    def price(self, product_id: str, currency: str) -> int:
        agreed = self.agreed.get(product_id)
        if agreed is not None:
            return amount_in(currency, agreed)
        return PRODUCTS[product_id].price_in(currency)

    def total(self, currency: str) -> int:
        """Return what it costs as it was ordered in the end, with its freight."""
        return self.worth(self.quantities, currency) + amount_in(currency, self.freight)

    def credit(self, currency: str) -> int:
        """Return what can be refunded once its lines came back, or it was cancelled."""
        if self.returned is None:
            return self.total(currency)
        left = {
            name: quantity - self.returned.get(name, 0)
            for name, quantity in self.quantities.items()
        }
        return self.worth(self.quantities, currency) - self.worth(left, currency)

    def worth(self, quantities: Quantities, currency: str) -> int:
        lines = [
            (self.price(name, currency), quantity, Decimal(self.discount))
            for name, quantity in quantities.items()
        ]
        if self.is_engraved:
            lines.append((ENGRAVING.price_in(currency), 1, Decimal(0)))
        return rounded_total(lines)

    def address(self) -> dict[str, str]:
        """Return the shipping address: the customer's at the time of the order."""
        customer = CUSTOMERS[self.customer]
        return {"name": customer.name, **customer.address}


ORDERS = (
    Order(DELIVERED, "asa", {"FP-MOEWE-F": 1, "INK-NIGHT": 2}, freight=FREIGHT),
    Order(DELIVERED, "bennett", {"NB-A5-DOT": 3, "PENCIL-6": 1}, freight=FREIGHT),
    Order(DELIVERED, "kauz", {"NB-A5-DOT": 40, "NB-A6-RUL": 60}, "0.15"),
    Order(DELIVERED, "irmas", {"INK-SEPIA": 24, "INK-MOSS": 12, "WAX-RED": 18}, "0.1"),
    Order(CANCELLED, "novak", {"SEAL": 1}, reason="The letter on it should be a Ř"),
    Order(DELIVERED, "novak", {"SEAL": 1, "WAX-RED": 2}),
    Order(DELIVERED, "sato", {"PAPER-COT": 2, "ENV-C6": 2, "FP-ATLAS": 1}),
    Order(
        DELIVERED,
        "garonne",
        {"BLOT-PAD": 35, "PAPER-COT": 120},
        agreed={"PAPER-COT": 1790},
        freight=4800,
        terms=30,
        parts=2,
        is_bounced=True,
        parcel={"BLOT-PAD": 35, "PAPER-COT": 40},
        note="The bank sent the second half back; they pay again.",
    ),
    Order(DELIVERED, "jokull", {"NB-SKETCH": 15, "PENCIL-6": 30}, "0.1"),
    Order(
        DELIVERED,
        "kowal",
        {"DIP-SET": 1, "INK-SEPIA": 2, "CARD-FOLD": 2},
        placed={"DIP-SET": 1, "INK-SEPIA": 1, "CARD-FOLD": 3},
        elsewhere=at("ul. Grodzka 31", "31-044", "Kraków", "Poland"),
        freight=FREIGHT,
    ),
    Order(
        DELIVERED,
        "harper",
        {"FP-MOEWE-F": 10, "FP-MOEWE-B": 6},
        "0.15",
        returned={"FP-MOEWE-F": 3},
        note="Three fine nibs scratch.\nThey keep the others.",
    ),
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
    Order(RETURNED, "bennett", {"CASE-3": 1}, freight=FREIGHT, returned={"CASE-3": 1}),
    Order(DELIVERED, "kauz", {"WAX-RED": 30, "SEAL": 8}, "0.1"),
    Order(SHIPPED, "sato", {"INK-MOSS": 2, "INK-NIGHT": 2, "INK-SEPIA": 2}),
    Order(DELIVERED, "irmas", {"CARD-FOLD": 40, "ENV-C6": 40}, "0.1"),
    Order(SHIPPED, "kowal", {"NB-A6-RUL": 4}, freight=FREIGHT, is_mistyped=True),
    Order(
        SHIPPED,
        "garonne",
        {"INK-NIGHT": 60, "INK-SEPIA": 60},
        "0.15",
        terms=30,
        is_open=True,
    ),
    Order(CANCELLED, "harper", {"BLOT-PAD": 4}, reason="Ordered twice by mistake"),
    Order(SHIPPED, "harper", {"BLOT-PAD": 4, "PAPER-COT": 12}, "0.05"),
    Order(SHIPPED, "jokull", {"FP-MOEWE-B": 8, "INK-NIGHT": 16}, "0.1"),
    Order(SHIPPED, "iris", {"FP-ATLAS": 1, "CASE-3": 1}, is_engraved=True),
    Order(PAID, "bennett", {"FP-MOEWE-B": 1, "INK-MOSS": 1}),
    Order(SHIPPED, "asa", {"NB-A5-DOT": 2, "NB-A6-RUL": 1}),
    Order(SHIPPED, "nunez", {"DIP-SET": 12, "INK-SEPIA": 12}, "0.1"),
    Order(PAID, "kauz", {"NB-SKETCH": 20, "PENCIL-6": 20}, "0.15"),
    Order(
        PENDING,
        "novak",
        {"FP-MOEWE-F": 1, "INK-NIGHT": 1, "BLOT-PAD": 1},
        freight=FREIGHT,
        note="He pays when he is back from the mountains.",
        put_off=60,
    ),
    Order(PAID, "irmas", {"FP-ATLAS": 2, "CASE-3": 2}, "0.05"),
    Order(CANCELLED, "kowal", {"CASE-3": 1}, reason="Changed my mind"),
    Order(PAID, "sato", {"NB-A6-RUL": 2, "CARD-FOLD": 1}),
    Order(PAID, "jokull", {"ENV-C6": 50, "PAPER-COT": 20}, "0.1"),
    Order(PENDING, "garonne", {"CARD-FOLD": 200}, "0.2", parts=2, is_part_paid=True),
    Order(PAID, "iris", {"WAX-RED": 1, "SEAL": 1, "ENV-C6": 3}),
    Order(PENDING, "harper", {"DIP-SET": 15, "INK-MOSS": 30}, "0.125"),
    Order(PENDING, "asa", {"FP-ATLAS": 1}),
    Order(PENDING, "nunez", {"BLOT-PAD": 10, "PENCIL-6": 24}, "0.1"),
    Order(PENDING, "kowal", {"INK-NIGHT": 1, "PAPER-COT": 1}),
)
