"""
Courses of commands by chance over one order, held against a ledger at each step.

The shop's side is what is shipped: the decision, the order, and the folds of both read
models with a row an order. A test may break one of them.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from domain.customers.customer import Customer
from domain.customers.events import CustomerDetails
from domain.errors import Rejection
from domain.orders.order import decide, reads
from domain.orders.state import Order, evolve, note_time
from domain.products import product
from domain.products.product import Product
from eventstore.projections.projection import Fact
from readmodels import order_details, order_list
from readmodels.customer_on_list import CustomerOnList
from readmodels.order_details import OrderDetailsView
from readmodels.order_summary import OrderSummaryRow
from readmodels.rows_of_orders import CustomerName
from tests.support.chances import Chances
from tests.support.ledger import Ledger

STEPS = 30
NEW = Order()
BEGIN = datetime(2026, 11, 23, 12, tzinfo=UTC)
SOLD = {"RC-1": 4_950, "RC-2": 999}
NAME = CustomerName(customer_id="ALICE", name="Alice", email=None)
NAME_ON_LIST = CustomerOnList(customer_id="ALICE", name="Alice", email=None, words="")
_NOBODY = "00000000-0000-0000-0000-000000000000"
METADATA = json.dumps(
    {
        **dict.fromkeys(("event_id", "correlation_id", "causation_id"), _NOBODY),
        "schema": "1.0",
    }
)


class Differs(AssertionError):
    """What the shop says and what the ledger says are not the same."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What drives the shop: the shipped functions, unless a test breaks one."""

    decide: Callable[..., Any] = decide
    evolve: Callable[[Order, Any], Order] = evolve
    fold_details: Callable[..., OrderDetailsView] = order_details.fold
    fold_list: Callable[..., OrderSummaryRow] = order_list.fold


@dataclass(slots=True)
class ShopOfOne:
    """A shop with one order, two products and Alice."""

    rules: Rules
    order: Order = NEW
    details: OrderDetailsView | None = None
    line: OrderSummaryRow | None = None
    version: int = 0
    streams: dict[str, Any] = field(
        default_factory=lambda: {
            "customer-ALICE": Customer(CustomerDetails(name="Alice")),
            **{
                f"product-{name}": Product(name, price, is_listed=True)
                for name, price in SOLD.items()
            },
        }
    )

    def accepts(self, command: Any, now: datetime) -> bool:
        """Do what is asked for, or return False if a rule refuses it."""
        try:
            if hasattr(command, "product_id"):
                self.change_product(command)
            else:
                for event in self.decided(command):
                    self.happens(event, now)
        except Rejection:
            return False
        return True

    def change_product(self, command: Any) -> None:
        stream_id = f"product-{command.product_id}"
        for event in product.decide(self.streams[stream_id], command):
            self.streams[stream_id] = product.evolve(self.streams[stream_id], event)

    def decided(self, command: Any) -> Any:
        others = {
            name: self.streams[stream_id]
            for name, stream_id in reads(command).items()
            if stream_id in self.streams
        }
        return self.rules.decide(self.order, command, **others)

    def happens(self, event: Any, now: datetime) -> None:
        self.order = note_time(self.rules.evolve(self.order, event), event, now)
        self.version += 1
        fact = Fact(event, "order-1", self.version, self.version, now, METADATA)
        self.details = self.rules.fold_details(self.details, fact, {"customers": NAME})
        self.line = self.rules.fold_list(self.line, fact, {"customers": NAME_ON_LIST})


@dataclass(frozen=True, slots=True)
class Seen:
    """What courses have shown: what became of commands, and events, by their types."""

    answers: Counter[tuple[str, bool]] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)


def run_course(seed: int, rules: Rules | None = None) -> Seen:
    """
    Send commands by chance to a shop and to a ledger.

    Returns what was seen. Raises Differs at the first step after which the two do not
    agree, with all that was sent.
    """
    random = Random(seed)
    shop, ledger = ShopOfOne(rules or Rules()), Ledger({**SOLD})
    chances = Chances(random, ledger)
    now, sent, first = BEGIN, [], None
    seen = Seen()
    for _ in range(STEPS):
        now += timedelta(hours=random.choice([0, 1, 24, 48]))
        command = chances.command(now)
        took = shop.accepts(command, now), ledger.accepts(command, now)
        seen.answers[type(command).__name__, took[0]] += 1
        sent.append(f"{now:%d.%m. %H:%M} {took} {command}")
        found = list(differences(shop, ledger)) if shop.details else []
        if took[0] is not took[1]:
            found.append(f"the shop accepts it: {took[0]}, the ledger: {took[1]}")
        if shop.details is not None:
            first = first or shop.details.history[0]
            if shop.details.history[0] != first:
                found.append("the first line of the history has changed")
        if found:
            raise Differs("\n".join([f"course {seed}", *sent, *found]))
    if shop.details is not None:
        seen.events.update(line.event for line in shop.details.history)
    return seen


def differences(shop: ShopOfOne, ledger: Ledger) -> Iterator[str]:
    """Yield what of the shop's order is not as the ledger has it."""
    yield from broken_sums(shop.order)
    expected = booked(ledger)
    assert shop.details is not None
    assert shop.line is not None
    sides = {
        "the order": order_says(shop.order),
        "its page": page_says(shop.details),
        "the list": list_says(shop.line),
    }
    for side, told in sides.items():
        for name, value in told.items():
            if value != expected[name]:
                yield f"{side} has {name} {value}, the ledger {expected[name]}"


def broken_sums(order: Order) -> Iterator[str]:
    """Yield what is wrong with the order's money by itself."""
    it = order.standing
    cost = 0 if it.status == "cancelled" else it.total
    if cost != it.paid - it.refunded + it.due - it.credit:
        yield f"{cost} is not {it.paid} - {it.refunded} + {it.due} - {it.credit}"
    if min(it.due, it.credit) != 0 or max(it.due, it.credit) < 0:
        yield f"{it.due} is due and {it.credit} is too much"


def booked(ledger: Ledger) -> Mapping[str, Any]:
    return {
        "status": ledger.status,
        "total": ledger.price,
        "paid": ledger.paid,
        "refunded": ledger.refunded,
        "due": max(0, ledger.balance),
        "credit": max(0, -ledger.balance),
        "freight": ledger.freight,
        "terms": ledger.terms,
        "prices": {n: row.price for n, row in ledger.rows.items()},
        "pieces": {
            n: (row.quantity, row.shipped, row.returned)
            for n, row in ledger.rows.items()
        },
        "lines": len(ledger.rows),
        "payments": ledger.payments,
        "parcels": ledger.parcels,
        "number of parcels": len(ledger.parcels),
        "tracking number": ledger.parcels[-1] if ledger.parcels else None,
        "put off until": ledger.put_off_until,
        "notes": ledger.notes,
        # The amounts of the lines are what they come to before the order's discount.
        "amounts": ledger.worth,
    }


def money_in(row: Any) -> Mapping[str, Any]:
    names = ("status", "total", "paid", "refunded", "due", "credit")
    return {name: getattr(row, name) for name in names}


def order_says(order: Order) -> Mapping[str, Any]:
    return {
        **money_in(order.standing),
        "freight": order.freight,
        "terms": order.terms,
        "prices": {s.line.number: s.line.unit_price for s in order.lines},
        "pieces": {
            s.line.number: (s.line.quantity, s.shipped, s.returned) for s in order.lines
        },
        "payments": [None if p.is_void else p.amount for p in order.payments],
        "parcels": [*order.parcels],
        "put off until": order.put_off_until,
    }


def page_says(row: OrderDetailsView) -> Mapping[str, Any]:
    return {
        **money_in(row),
        "freight": row.freight,
        "terms": row.terms,
        "prices": {line.number: line.unit_price for line in row.lines},
        "pieces": {n.number: (n.quantity, n.shipped, n.returned) for n in row.lines},
        "amounts": sum(line.amount for line in row.lines),
        "payments": [p.amount if p.voided_at is None else None for p in row.payments],
        "parcels": [parcel.tracking_number for parcel in row.parcels],
        "tracking number": row.tracking_number,
        "put off until": row.put_off_until,
        "notes": len(row.notes),
    }


def list_says(row: OrderSummaryRow) -> Mapping[str, Any]:
    return {
        **money_in(row),
        "terms": row.terms,
        "lines": row.item_count,
        "number of parcels": row.parcels,
        "parcels": [*row.tracking_numbers],
        "tracking number": row.tracking_number,
    }
