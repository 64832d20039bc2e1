"""
A ledger of one order, kept by hand: it reads the commands, and none of the shop's code.

It books what was sent to the shop, says itself what must be refused, and computes the
money and the status anew from what it has booked, with fractions and a rounding of its
own. What the shop says of the order is held against it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from domain.orders import commands
from domain.products import commands as products

DEAREST = 10_000_000_000_000


class Refusal(Exception):
    """What was sent must be refused."""


def refuse_if(must: bool) -> None:
    if must:
        raise Refusal


def half_up(exact: Fraction) -> int:
    return math.floor(exact + Fraction(1, 2))


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the order."""

    price: int
    quantity: int
    discount: Fraction
    shipped: int = 0
    returned: int = 0

    @property
    def kept(self) -> Fraction:
        """What the pieces that did not come back are worth."""
        return self.price * (self.quantity - self.returned) * (1 - self.discount)


@dataclass(slots=True)
class Ledger:
    """What is booked of an order, and the price list beside it."""

    prices: dict[str, int]
    rows: dict[int, Row] = field(default_factory=dict)
    last_row: int = 0
    discount: Fraction = Fraction(0)
    freight: int = 0
    terms: int | None = None
    payments: list[int | None] = field(default_factory=list)
    refunded: int = 0
    parcels: list[str] = field(default_factory=list)
    placed_on: date | None = None
    shipped_on: date | None = None
    has_arrived: bool = False
    is_cancelled: bool = False
    put_off_until: date | None = None
    notes: int = 0

    # What it comes to.

    @property
    def exact(self) -> Fraction:
        """What the lines come to before the discount on all of them."""
        return sum((row.kept for row in self.rows.values()), Fraction(0))

    @property
    def worth(self) -> int:
        return half_up(self.exact)

    @property
    def price(self) -> int:
        """What the order costs if it is not cancelled."""
        return half_up(self.exact * (1 - self.discount)) + self.freight

    @property
    def paid(self) -> int:
        return sum(amount for amount in self.payments if amount is not None)

    @property
    def unpaid(self) -> int:
        """What the order would cost beyond what is paid for it; may be negative."""
        return self.price - self.paid + self.refunded

    @property
    def balance(self) -> int:
        """What is due, or below 0 what can go back."""
        return self.unpaid - self.price if self.is_cancelled else self.unpaid

    @property
    def is_shipped(self) -> bool:
        return all(row.shipped == row.quantity for row in self.rows.values())

    @property
    def is_returned(self) -> bool:
        return all(row.returned == row.quantity for row in self.rows.values())

    @property
    def status(self) -> str:
        if self.placed_on is None:
            return "none"
        if self.is_cancelled:
            return "cancelled"
        if self.is_returned:
            return "returned"
        if self.has_arrived:
            return "delivered"
        if self.is_shipped:
            return "shipped"
        return "pending" if self.balance > 0 else "paid"

    @property
    def is_left_unpaid(self) -> bool:
        return self.status == "pending" and not self.paid and not self.parcels

    # What is sent.

    def accepts(self, command: Any, now: datetime) -> bool:
        """Book *command*, or return False for one that must be refused."""
        try:
            if self.placed_on is None and hasattr(command, "order_id"):
                raise Refusal
            self.book(command, now)
        except Refusal:
            return False
        return True

    def book(self, command: Any, now: datetime) -> None:
        """Raise Refusal before anything is booked."""
        match command:
            case products.ChangePrice(product_id=product_id, unit_price=price):
                refuse_if(product_id not in self.prices)
                self.prices[product_id] = price
            case products.DiscontinueProduct(product_id=product_id):
                refuse_if(product_id not in self.prices)
                del self.prices[product_id]
            case products.AddProduct():
                name = command.product_id or ""
                refuse_if(name in self.prices)
                self.prices[name] = command.unit_price
            case commands.PlaceOrder():
                self.place(command, now.date())
            case commands.ChangeItems():
                self.change(command)
            case commands.ReceivePayment(amount=amount):
                refuse_if(amount > self.unpaid)
                self.payments.append(amount)
            case commands.VoidPayment(payment=number):
                self.void(number)
            case commands.RefundPayment(amount=amount):
                refuse_if(amount > -self.balance)
                self.refunded += amount
            case commands.CancelOrder():
                refuse_if(bool(self.parcels) and not self.is_cancelled)
                self.is_cancelled = True
            case commands.CancelUnpaidOrder(until=until):
                is_due = until == self.put_off_until
                self.is_cancelled |= is_due and self.is_left_unpaid
            case commands.PutOffCancellation(until=until):
                refuse_if(not self.is_left_unpaid)
                self.put_off_until = until
            case commands.ChangeAddress(customer_id=customer_id):
                refuse_if(customer_id != "ALICE" or self.is_cancelled)
                refuse_if(self.has_arrived or self.is_returned)
            case commands.AddNote(customer_id=customer_id):
                refuse_if(customer_id != "ALICE")
                self.notes += 1
            case _:
                self.book_parcel(command, now.date())

    def book_parcel(self, command: Any, today: date) -> None:
        match command:
            case commands.ShipOrder(tracking_no=number):
                self.check_shippable()
                self.ship(number, self.left_to_ship(), today)
            case commands.ShipParcel(tracking_no=number):
                self.check_shippable()
                asked = asked_of(command.lines)
                self.check_left(asked, self.left_to_ship())
                self.ship(number, asked, today)
            case commands.CorrectTracking(parcel=parcel, tracking_no=number):
                refuse_if(self.has_arrived or self.is_returned)
                refuse_if(parcel > len(self.parcels))
                self.parcels[parcel - 1] = number
            case commands.ConfirmDelivery(delivered_at=moment):
                refuse_if(self.status != "shipped")
                assert self.placed_on is not None
                assert self.shipped_on is not None
                refuse_if(moment.date() < max(self.placed_on, self.shipped_on))
                self.has_arrived = True
            case commands.ReturnOrder():
                self.take_back(command)
            case _:
                raise AssertionError(f"nobody books {command}")

    def new_row(self, item: commands.Item | commands.ChangedItem) -> Row:
        if item.product is None:
            refuse_if(item.product_id not in self.prices)
        price = item.unit_price
        if price is None:
            price = self.prices[item.product_id or ""]
        return Row(price, item.quantity, Fraction(item.discount or 0))

    def place(self, command: commands.PlaceOrder, today: date) -> None:
        refuse_if(self.placed_on is not None)
        refuse_if(command.customer_id != "ALICE")
        rows = dict(enumerate(map(self.new_row, command.items), 1))
        discount = Fraction(command.discount)
        self.try_rows(rows, discount, command.freight or 0)
        self.terms, self.placed_on = command.terms, today

    def change(self, command: commands.ChangeItems) -> None:
        refuse_if(self.is_cancelled or self.is_shipped)
        rows: dict[int, Row] = {}
        last = self.last_row
        for item in command.items:
            if item.line is None:
                last += 1
                rows[last] = self.new_row(item)
                continue
            refuse_if(item.line in rows or item.line not in self.rows)
            row = replace(self.rows[item.line], quantity=item.quantity)
            if item.unit_price is not None:
                row = replace(row, price=item.unit_price)
            if item.discount is not None:
                row = replace(row, discount=Fraction(item.discount))
            rows[item.line] = row
        for number, row in self.rows.items():
            refuse_if(row.shipped > (rows[number].quantity if number in rows else 0))
        self.try_rows(
            rows,
            self.discount if command.discount is None else Fraction(command.discount),
            self.freight if command.freight is None else command.freight,
        )

    def try_rows(self, rows: dict[int, Row], discount: Fraction, freight: int) -> None:
        """Take these rows unless they are too dear."""
        tried = Ledger({}, rows, discount=discount, freight=freight)
        refuse_if(tried.price > DEAREST)
        self.rows, self.discount, self.freight = rows, discount, freight
        self.last_row = max([self.last_row, *rows])

    def void(self, number: int) -> None:
        refuse_if(number > len(self.payments))
        amount = self.payments[number - 1]
        refuse_if(amount is None or self.paid - amount < self.refunded)
        self.payments[number - 1] = None

    def check_shippable(self) -> None:
        refuse_if(self.is_cancelled or self.is_shipped)
        refuse_if(self.terms is None and self.balance > 0)

    def left_to_ship(self) -> dict[int, int]:
        return {n: row.quantity - row.shipped for n, row in self.rows.items()}

    def check_left(self, asked: dict[int, int], left: dict[int, int]) -> None:
        refuse_if(any(pieces > left.get(n, 0) for n, pieces in asked.items()))

    def ship(self, tracking_no: str, moved: dict[int, int], today: date) -> None:
        for number, pieces in moved.items():
            row = self.rows[number]
            self.rows[number] = replace(row, shipped=row.shipped + pieces)
        self.parcels.append(tracking_no)
        self.shipped_on = today

    def take_back(self, command: commands.ReturnOrder) -> None:
        left = {n: row.shipped - row.returned for n, row in self.rows.items()}
        refuse_if(not any(left.values()))
        asked = left if command.lines is None else asked_of(command.lines)
        self.check_left(asked, left)
        for number, pieces in asked.items():
            row = self.rows[number]
            self.rows[number] = replace(row, returned=row.returned + pieces)
        if command.with_freight:
            self.freight = 0


def asked_of(lines: Iterable[Any]) -> dict[int, int]:
    """Return how many pieces are named of each line."""
    found: dict[int, int] = {}
    for one in lines:
        found[one.line] = found.get(one.line, 0) + one.quantity
    return found
