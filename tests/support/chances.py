"""Commands to an order by chance: what people send, often at the edge of the rules."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

from domain.orders import commands
from domain.orders.lines import LineQuantity
from domain.products import commands as products
from tests.support.desk import LONDON, PARIS
from tests.support.ledger import Ledger

T = TypeVar("T")

# Halves of a cent come of some, thirds of the others; the last make a gift.
DISCOUNTS = [Decimal(text) for text in ("0", "0", "0.05", "0.15", "0.3333", "0.5", "1")]
PRICES = [1, 3, 99, 999, 4_950, 100_000_000_000]
QUANTITIES = [1, 1, 2, 3, 7, 100_000]
DAYS = [date(2027, 1, 15), date(2027, 5, 1)]


@dataclass(frozen=True, slots=True)
class Chances:
    """Commands by chance to the order of a *ledger*, which tells what is left of it."""

    random: Random
    ledger: Ledger

    def command(self, now: datetime) -> Any:
        """Return a command of any kind; the first one places the order, mostly."""
        if self.ledger.placed_on is None and self.random.random() < 0.9:
            return self.place()
        kinds = {
            lambda: self.deliver(now): 3,
            **dict.fromkeys([self.pay, self.refund, self.parcel, self.give_back], 4),
            **dict.fromkeys([self.change, self.void, self.correct], 2),
            **dict.fromkeys([self.address, self.note, self.put_off, self.place], 1),
            self.ship: 1,
            **dict.fromkeys([self.cancel_unpaid, self.product], 1),
            self.cancel: 0.3,
        }
        (kind,) = self.random.choices([*kinds], [*kinds.values()])
        return kind()

    def place(self) -> commands.PlaceOrder:
        return commands.PlaceOrder(
            customer_id=self.customer(),
            items=tuple(self.item() for _ in range(self.random.randrange(1, 5))),
            address=LONDON,
            currency="EUR",
            freight=self.random.choice([None, 0, 1, 650]),
            discount=self.random.choice(DISCOUNTS),
            terms=self.random.choice([None, None, 0, 14]),
        )

    def item(self) -> commands.Item:
        free = commands.Item(
            product="NUT",
            product_id=self.random.choice([None, "RC-1"]),
            quantity=self.seldom_last(QUANTITIES),
            unit_price=self.seldom_last(PRICES),
            discount=self.random.choice(DISCOUNTS),
        )
        if self.random.random() < 0.6:
            return free
        price = self.random.choice([None, None, free.unit_price])
        name = self.seldom_last(["RC-1", "RC-2", "NIX"])
        return replace(free, product=None, product_id=name, unit_price=price)

    def change(self) -> commands.ChangeItems:
        gone = {n: row.shipped for n, row in self.ledger.rows.items() if row.shipped}
        if gone and self.random.random() < 0.5:
            # The rest is ordered no more.
            rest = [commands.ChangedItem(line=n, quantity=q) for n, q in gone.items()]
            return commands.ChangeItems(order_id=1, items=tuple(rest))
        kept = [self.changed(n) for n in self.ledger.rows if self.random.random() < 0.8]
        if self.random.random() < 0.1:
            kept.append(self.changed(self.number()))
        new = [self.item() for _ in range(self.random.choice([0, 0, 0, 1, 2]))]
        added = [
            commands.ChangedItem(
                product=item.product,
                product_id=item.product_id,
                quantity=item.quantity,
                unit_price=item.unit_price,
                discount=self.random.choice([None, item.discount]),
            )
            for item in new
        ]
        items = [*kept, *added]
        self.random.shuffle(items)
        return commands.ChangeItems(
            order_id=1,
            items=tuple(items) or (self.changed(self.number()),),
            discount=self.random.choice([None, None, *DISCOUNTS]),
            freight=self.random.choice([None, None, 0, 650]),
        )

    def changed(self, number: int) -> commands.ChangedItem:
        row = self.ledger.rows.get(number)
        known = [row.quantity, max(1, row.shipped)] if row is not None else [1]
        return commands.ChangedItem(
            line=number,
            quantity=self.random.choice([*known, 1, 2, 3]),
            unit_price=self.random.choice([None, None, self.seldom_last(PRICES)]),
            discount=self.random.choice([None, None, *DISCOUNTS]),
        )

    def address(self) -> commands.ChangeAddress:
        return commands.ChangeAddress(
            order_id=1, customer_id=self.customer(), address=PARIS
        )

    def note(self) -> commands.AddNote:
        return commands.AddNote(
            order_id=1, customer_id=self.customer(), text="Wants it wrapped."
        )

    def put_off(self) -> commands.PutOffCancellation:
        return commands.PutOffCancellation(order_id=1, until=self.random.choice(DAYS))

    def pay(self) -> commands.ReceivePayment:
        return commands.ReceivePayment(order_id=1, amount=self.near(self.ledger.unpaid))

    def void(self) -> commands.VoidPayment:
        most = len(self.ledger.payments) + 1
        return commands.VoidPayment(order_id=1, payment=self.random.randint(1, most))

    def refund(self) -> commands.RefundPayment:
        credit = -self.ledger.balance
        return commands.RefundPayment(order_id=1, amount=self.near(credit))

    def near(self, amount: int) -> int:
        """Return a part of *amount*, mostly, or all of it, or one more."""
        most = max(1, amount)
        return self.random.choice([most, most + 1, self.random.randint(1, most)])

    def ship(self) -> commands.ShipOrder:
        return commands.ShipOrder(order_id=1, tracking_no=self.tracking())

    def parcel(self) -> commands.ShipParcel:
        return commands.ShipParcel(
            order_id=1,
            tracking_no=self.tracking(),
            lines=self.pieces(self.ledger.left_to_ship()),
        )

    def correct(self) -> commands.CorrectTracking:
        most = len(self.ledger.parcels) + 1
        return commands.CorrectTracking(
            order_id=1,
            parcel=self.random.randint(1, most),
            tracking_no=self.tracking(),
        )

    def deliver(self, now: datetime) -> commands.ConfirmDelivery:
        days = timedelta(days=self.random.choice([0, 0, 0, -1, -3]))
        return commands.ConfirmDelivery(order_id=1, delivered_at=now + days)

    def give_back(self) -> commands.ReturnOrder:
        left = {n: r.shipped - r.returned for n, r in self.ledger.rows.items()}
        return commands.ReturnOrder(
            order_id=1,
            lines=self.random.choice([None, self.pieces(left), self.pieces(left)]),
            with_freight=self.random.random() < 0.3,
        )

    def pieces(self, left: dict[int, int]) -> tuple[LineQuantity, ...]:
        """Return pieces of which there are some, mostly, or one too many."""
        asked = [n for n in left if self.random.random() < 0.6] or [self.number()]
        return tuple(
            LineQuantity(line=number, quantity=self.near(left.get(number, 1)))
            for number in asked
        )

    def cancel(self) -> commands.CancelOrder:
        return commands.CancelOrder(order_id=1, reason="bought it twice")

    def cancel_unpaid(self) -> commands.CancelUnpaidOrder:
        return commands.CancelUnpaidOrder(
            order_id=1, days=30, until=self.random.choice([None, *DAYS])
        )

    def product(self) -> Any:
        name = self.random.choice(["RC-1", "RC-2"])
        return self.random.choice(
            [
                products.ChangePrice(
                    product_id=name, unit_price=self.random.choice(PRICES)
                ),
                products.DiscontinueProduct(product_id=name),
                products.AddProduct(
                    product_id=name, name="CLOCK", unit_price=3, currency="EUR"
                ),
            ]
        )

    def customer(self) -> str:
        return self.seldom_last(["ALICE", "BOB"])

    def number(self) -> int:
        """Return the number of a line, or of the one after the last."""
        return self.random.randint(1, self.ledger.last_row + 1)

    def tracking(self) -> str:
        return f"1Z-{self.random.randrange(4)}"

    def seldom_last(self, choices: Sequence[T]) -> T:
        last = self.random.random() < 0.03
        return choices[-1] if last else self.random.choice(choices[:-1])
