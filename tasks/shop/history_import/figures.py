"""Totals of a history, for an operator to compare with those of the old shop."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from domain.orders.lines import Line, total_of
from tasks.shop.history_import.history import History


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Amounts are in minor units; *gross* is without discounts, *net* with them."""

    customers: int
    orders: int
    not_shipped: int
    first_day: date
    last_day: date
    net: int
    gross: int
    freight: int


def figures_of(history: History) -> Figures:
    orders = history.orders.values()
    return Figures(
        customers=len(history.customers),
        orders=len(orders),
        not_shipped=sum(order.shipped_date is None for order in orders),
        first_day=min(order.order_date for order in orders),
        last_day=max(order.order_date for order in orders),
        net=sum(total_of(history.items[number]) for number in history.orders),
        gross=sum(gross(history.items[number]) for number in history.orders),
        freight=sum(order.freight or 0 for order in orders),
    )


def gross(lines: Iterable[Line]) -> int:
    return sum(line.unit_price * line.quantity for line in lines)
