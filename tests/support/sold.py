"""What was sold, added up by hand from the events of a log, order by order."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from math import floor
from typing import Any

from domain.orders.events import OrderCreated
from eventstore.log.events import RecordedEvent
from eventstore.past.moments import Moment
from eventstore.projections.projection import Fact
from readmodels import sales, sold_lines
from readmodels.sales_sums import Period, Sums
from tasks.shop.wiring import Shop
from tests.support.filled_tables import fill_table
from tests.support.past import events_of, read_events

Key = tuple[date | str | None, str]
"""The key of a line, and a name where it has no key."""


@dataclass
class SoldOrder:
    """An order as its events leave it."""

    customer: str
    country: str | None
    placed: datetime
    items: list[dict[str, Any]]
    discount: Fraction
    back: dict[int, int] = field(default_factory=dict)
    is_cancelled: bool = False

    @property
    def left(self) -> list[tuple[dict[str, Any], int]]:
        """The lines of which something is left, with so many pieces."""
        if self.is_cancelled:
            return []
        counted = [
            (item, item["quantity"] - self.back.get(item["number"], 0))
            for item in self.items
        ]
        return [(item, pieces) for item, pieces in counted if pieces]

    def amounts(self) -> list[int]:
        """Return what each line that is left costs: what it adds to those before it."""
        exact, before, found = Fraction(0), 0, []
        for item, pieces in self.left:
            off = 1 - Fraction(item.get("discount", "0"))
            exact += item["unit_price"] * pieces * off * (1 - self.discount)
            found.append(floor(exact + Fraction(1, 2)) - before)
            before += found[-1]
        return found


@dataclass(frozen=True)
class Ledger:
    """All orders of a log."""

    orders: Sequence[SoldOrder]

    @classmethod
    def of(cls, shop: Shop, moment: Moment | None = None) -> "Ledger":
        """Return the ledger of a shop's log, as of a moment or of now."""
        events = read_events(shop)
        return cls(fold(events if moment is None else events_of(events, moment)))

    def within(self, period: Period) -> list[SoldOrder]:
        return [
            order
            for order in self.orders
            if period.first
            <= order.placed.astimezone(period.zone).date()
            <= period.last
            and order.left
        ]

    def total(self, period: Period) -> Sums:
        orders = self.within(period)
        return Sums(
            orders=len(orders),
            pieces=sum(pieces for order in orders for _, pieces in order.left),
            amount=sum(sum(order.amounts()) for order in orders),
        )

    def sums(self, by: str, period: Period) -> dict[Key, tuple[int, int, int]]:
        """Return orders, pieces and amount by the key of each line."""
        found: dict[Key, list[tuple[SoldOrder, int, int]]] = defaultdict(list)
        for order in self.within(period):
            day = order.placed.astimezone(period.zone).date()
            keys: dict[str, Key] = {
                "month": (day.replace(day=1), ""),
                "day": (day, ""),
                "country": (order.country, ""),
                "customer": (order.customer, ""),
            }
            for (item, pieces), amount in zip(order.left, order.amounts(), strict=True):
                number = item.get("product_id")
                product = (number, "") if number else (None, item["product"])
                found[keys.get(by, product)].append((order, pieces, amount))
        return {
            key: (
                len({id(order) for order, _, _ in some}),
                sum(pieces for _, pieces, _ in some),
                sum(amount for _, _, amount in some),
            )
            for key, some in found.items()
        }


def fold(events: Iterable[RecordedEvent]) -> list[SoldOrder]:
    orders: dict[str, SoldOrder] = {}
    for event in events:
        data = json.loads(event.data)
        if event.type == "CustomerForgotten":
            for order in orders.values():
                if f"customer-{order.customer}" == event.stream_id:
                    order.country = None
        elif event.type == "OrderCreated":
            orders[event.stream_id] = SoldOrder(
                customer=data["customer_id"],
                country=country_in(data),
                placed=event.occurred_at,
                items=numbered(data["items"]),
                discount=Fraction(data.get("discount", "0")),
            )
        elif event.type == "OrderItemsChanged":
            orders[event.stream_id].items = data["items"]
            orders[event.stream_id].discount = Fraction(data["discount"])
        elif event.type == "ShippingAddressChanged":
            orders[event.stream_id].country = country_in(data)
        elif event.type == "OrderReturned":
            back = orders[event.stream_id].back
            for moved in data["lines"]:
                back[moved["line"]] = back.get(moved["line"], 0) + moved["quantity"]
        elif event.type == "OrderCancelled":
            orders[event.stream_id].is_cancelled = True
    return list(orders.values())


def numbered(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"number": place, **item} for place, item in enumerate(items, 1)]


def country_in(data: dict[str, Any]) -> str | None:
    """Return the country of an event's address; None where it was erased."""
    address = data.get("address") or {}
    return address.get("country") if isinstance(address, dict) else None


def fill_sales(shop: Shop, *orders: tuple[int, datetime, OrderCreated]) -> None:
    """Write the rows of orders, by number, time and first event, without a log."""
    rows, lines = [], []
    for number, moment, event in orders:
        fact = Fact(event, f"order-{number}", number, 1, moment, "{}")
        rows.append(sales.fold(None, fact, {}))
        seen = {"orders": sold_lines.lines_of(None, fact)}
        parts = sold_lines.lines(fact, seen)
        lines += [sold_lines.fold(None, part, seen) for part in parts]
    fill_table(shop, sales.projection, rows)
    fill_table(shop, sold_lines.projection, lines)
