"""What all stories of the demo need: the simulation, its days, its customers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from domain.input import parse
from domain.orders.commands import PlaceOrder, ReceivePayment
from domain.orders.state import Order
from tasks.shop.demo.goods import amount_in
from tasks.shop.demo.history.people import CustomerBook
from tasks.shop.demo.history.simulation import Simulation

SUNDAY = 6
OPENS, CLOSES = 9, 18
"""The hours of the staff, by the shop's clocks."""
LAST_HOUR = 22
"""Until which customers order; before this hour of the last day the demo ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The days of the demo, numbered from 0, as the clocks of *zone* show them."""

    first: date
    zone: ZoneInfo

    def at(self, day: int, hour: int, minute: int = 0) -> datetime:
        """Return a time of a day, in UTC."""
        return datetime.combine(
            self.day(day), time(hour, minute), self.zone
        ).astimezone(UTC)

    def day(self, day: int) -> date:
        return self.first + timedelta(days=day)

    def working_day(self, day: int) -> int:
        """Return *day*, or the Monday after it."""
        is_sunday = self.day(day).weekday() == SUNDAY
        return day + 1 if is_sunday else day

    def any_time(self, day: int, random: Random, *, until: int = LAST_HOUR) -> datetime:
        """Return a drawn time of a day, between OPENS and the hour *until*."""
        seconds = random.randrange((until - OPENS) * 3_600)
        return self.at(day, OPENS) + timedelta(seconds=seconds)

    def office_time(self, day: int, random: Random) -> datetime:
        """Return a drawn time of a working day, at which the staff is there."""
        return self.any_time(self.working_day(day), random, until=CLOSES)


@dataclass(frozen=True, slots=True, kw_only=True)
class InventedShop:
    """The shop that stories are told of; amounts are in minor units of *currency*."""

    simulation: Simulation
    calendar: Calendar
    currency: str
    customers: CustomerBook = field(default_factory=CustomerBook)

    def order_for(
        self,
        key: str,
        quantities: Mapping[str, int],
        discount: str = "0",
        *,
        more: Sequence[Mapping[str, Any]] = (),
        **terms: Any,
    ) -> PlaceOrder:
        """
        Return the order of a customer: how many of each product of the list.

        *more* are further lines, *terms* fields of the order such as its freight.
        """
        items: list[Mapping[str, Any]] = [
            {"product_id": product_id, "quantity": quantity, "discount": discount}
            for product_id, quantity in quantities.items()
        ]
        return parse(
            PlaceOrder,
            {
                "customer_id": self.customers.numbers[key],
                "items": [*items, *more],
                "address": self.customers.shipping_address(key),
                "currency": self.currency,
                **terms,
            },
        )

    def payment_of(self, number: str, part: float = 1) -> ReceivePayment:
        """Return the payment of what is due for an order, or of a *part* of that."""
        due = self.order(number).standing.due
        return ReceivePayment(order_id=int(number), amount=round(due * part))

    def order(self, number: str) -> Order:
        return self.simulation.order(number)

    def amount(self, hundredths: int) -> int:
        return amount_in(self.currency, hundredths)
