"""Commands of an order by chance, of each kind; many of them break a rule."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from domain.address import Address
from domain.customers.customer import Customer
from domain.errors import Rejection
from domain.orders import commands
from domain.orders.commands import ChangedItem, OrderCommand
from domain.orders.events import OrderEvent
from domain.orders.lines import LineQuantity
from domain.orders.order import PRODUCT, decide
from domain.orders.state import Order, evolve, note_time
from domain.products.product import Product

CITIES = ("Bergen", "Łódź", "São Paulo")
NOTES = ("Ring twice", "wants it\nwrapped ⏰")
TRACKING = ("1Z-1", "1Z-2", "RETRO-CLOCK 3")
AMOUNTS = (999, 4_950, 10_899)
DAY = datetime(2026, 12, 24, tzinfo=UTC)
LISTED = {"LAMP": Product(name="Lamp ⏰", unit_price=1_999, is_listed=True)}
"""Products of the price list, by their ids, that a changed order may name."""
TRIES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCommands:
    """
    Makes commands by chance, about the first lines, payments and parcels of an order.

    *amounts* are those that are paid and refunded, *day* is when parcels arrive,
    *listed* are the ids of products that a new line may name.
    """

    random: Random
    amounts: Sequence[int] = AMOUNTS
    day: datetime = DAY
    listed: Sequence[str] = ()

    def next(self, order_id: int, customer_id: str) -> OrderCommand:
        """Return a command for that order of that customer."""
        about: Mapping[str, Any] = {"order_id": order_id}
        whose = {**about, "customer_id": customer_id}
        chance = self.random
        makers: Sequence[tuple[float, Callable[[], OrderCommand]]] = [
            (4, lambda: commands.ReceivePayment(**about, amount=self.amount())),
            (1, lambda: commands.VoidPayment(**about, payment=self.number())),
            (2, lambda: commands.RefundPayment(**about, amount=self.amount())),
            (2, lambda: commands.ShipOrder(**about, tracking_no=self.tracking())),
            (3, lambda: self.parcel(order_id)),
            (
                1,
                lambda: commands.CorrectTracking(
                    **about, parcel=self.number(), tracking_no=self.tracking()
                ),
            ),
            (1, lambda: commands.ConfirmDelivery(**about, delivered_at=self.day)),
            (2, lambda: self.goods_back(order_id)),
            (0.7, lambda: commands.CancelOrder(**about, reason="bought it twice")),
            (1, lambda: commands.PutOffCancellation(**about, until=self.later_day())),
            (1, lambda: commands.AddNote(**whose, text=chance.choice(NOTES))),
            (1, lambda: commands.ChangeAddress(**whose, address=self.address())),
            (3, lambda: self.other_lines(order_id)),
        ]
        weights = [weight for weight, _ in makers]
        _, make = chance.choices(makers, weights)[0]
        return make()

    def amount(self) -> int:
        return self.random.choice(self.amounts)

    def number(self) -> int:
        return self.random.choice([1, 1, 2, 3])

    def tracking(self) -> str:
        return self.random.choice(TRACKING)

    def later_day(self) -> date:
        return self.day.date() + timedelta(days=self.random.randrange(1, 20))

    def address(self) -> Address:
        return Address(
            street="1 Retro Road", city=self.random.choice(CITIES), country="NO"
        )

    def quantities(self) -> tuple[LineQuantity, ...]:
        return tuple(
            LineQuantity(line=line, quantity=self.random.choice([1, 1, 2]))
            for line in self.random.sample([1, 2], self.random.choice([1, 1, 2]))
        )

    def parcel(self, order_id: int) -> commands.ShipParcel:
        return commands.ShipParcel(
            order_id=order_id, tracking_no=self.tracking(), lines=self.quantities()
        )

    def goods_back(self, order_id: int) -> commands.ReturnOrder:
        return commands.ReturnOrder(
            order_id=order_id,
            lines=self.random.choice([None, self.quantities()]),
            with_freight=self.random.random() < 0.3,
        )

    def other_lines(self, order_id: int) -> commands.ChangeItems:
        chance = self.random
        kept = [
            ChangedItem(
                line=line,
                quantity=chance.choice([1, 2, 3]),
                unit_price=chance.choice([None, None, 1_234]),
            )
            for line in chance.choice([(1,), (1, 2), (2, 1), (3,), ()])
        ]
        new = [self.new_line() for _ in range(chance.choice([0, 1, 1]))]
        return commands.ChangeItems(
            order_id=order_id,
            items=tuple(kept + new) or (self.new_line(),),
            freight=chance.choice([None, None, 0, 650]),
        )

    def new_line(self) -> ChangedItem:
        if self.listed and self.random.random() < 0.5:
            product_id = self.random.choice(self.listed)
            return ChangedItem(product_id=product_id, quantity=1)
        return ChangedItem(product="Röd Kaviar", quantity=2, unit_price=777)


def decide_something(
    make: OrderCommands,
    order: Order,
    about: tuple[int, str],
    customer: Customer,
) -> Sequence[OrderEvent]:
    """
    Return the events of a command by chance that the order accepts; maybe none.

    *about* are the numbers of the order and of its customer.
    """
    known: dict[str, Any] = {f"{PRODUCT}{name}": LISTED[name] for name in make.listed}
    for _ in range(TRIES):
        with suppress(Rejection):
            command = make.next(*about)
            if events := decide(order, command, customer=customer, **known):
                return events
    return []


def order_after(order: Order, event: OrderEvent, moment: datetime) -> Order:
    """Return the order after an event of that time."""
    return note_time(evolve(order, event), event, moment)
