"""What all stories of the demo need: the simulation, its days, its customers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from domain.input import parse
from domain.orders.commands import PlaceOrder, ReceivePayment
from tasks.shop.demo.goods import PRODUCTS, amount_in
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
        on = self.first + timedelta(days=day)
        return datetime.combine(on, time(hour, minute), self.zone).astimezone(UTC)

    def working_day(self, day: int) -> int:
        """Return *day*, or the Monday after it."""
        is_sunday = (self.first + timedelta(days=day)).weekday() == SUNDAY
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
        self, key: str, quantities: Mapping[str, int], discount: str = "0"
    ) -> PlaceOrder:
        """Return the order of a customer: how many of each product."""
        return parse(
            PlaceOrder,
            {
                "customer_id": self.customers.numbers[key],
                "items": [
                    {
                        "product": PRODUCTS[product_id].name,
                        "product_id": product_id,
                        "quantity": quantity,
                        "unit_price": PRODUCTS[product_id].price_in(self.currency),
                        "discount": discount,
                    }
                    for product_id, quantity in quantities.items()
                ],
                "address": self.customers.shipping_address(key),
                "currency": self.currency,
            },
        )

    def payment_of(self, number: str) -> ReceivePayment:
        return ReceivePayment(order_id=int(number), amount=self.total_of(number))

    def total_of(self, number: str) -> int:
        return self.simulation.order(number).total.amount

    def amount(self, hundredths: int) -> int:
        return amount_in(self.currency, hundredths)
