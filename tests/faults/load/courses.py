"""The courses that orders of the load take: which command follows which."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

ELSEWHERE = {"street": "1 Quay", "city": "Hull", "country": "United Kingdom"}
FREIGHT = 650


@dataclass(eq=False)
class Line:
    """A line of an order, as its client knows it: *price* is what one piece costs."""

    product_id: str
    quantity: int
    price: int


@dataclass(eq=False)
class Order:
    """An order of this client: its number, once it is known, and the steps to come."""

    customer_id: str
    lines: list[Line]
    steps: list["Make"]
    number: int | None = None

    @property
    def total(self) -> int:
        return FREIGHT + sum(line.quantity * line.price for line in self.lines)


class Step(NamedTuple):
    """A command about an order, but for its number."""

    type: str
    data: Mapping[str, Any]


Make = Callable[[Order], Step]


def pay_all(order: Order) -> Step:
    return Step("ReceivePayment", {"amount": order.total})


def pay_half(order: Order) -> Step:
    return Step("ReceivePayment", {"amount": order.total // 2})


def pay_rest(order: Order) -> Step:
    return Step("ReceivePayment", {"amount": order.total - order.total // 2})


def void_first(order: Order) -> Step:
    return Step("VoidPayment", {"payment": 1})


def ship(order: Order) -> Step:
    return Step("ShipOrder", {"tracking_no": "PF-7"})


def ship_a_piece(order: Order) -> Step:
    lines = [{"line": 1, "quantity": 1}]
    return Step("ShipParcel", {"tracking_no": "PF-6", "lines": lines})


def correct(order: Order) -> Step:
    return Step("CorrectTracking", {"parcel": 1, "tracking_no": "PF-9"})


def arrive(order: Order) -> Step:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Step("ConfirmDelivery", {"delivered_at": now})


def call_off(order: Order) -> Step:
    return Step("CancelOrder", {"reason": "Changed my mind"})


def want_more(order: Order) -> Step:
    """Return the change by which one piece more is ordered of the first line."""
    order.lines[0].quantity += 1
    items = [
        {"line": number, "quantity": line.quantity}
        for number, line in enumerate(order.lines, 1)
    ]
    return Step("ChangeItems", {"items": items})


def move(order: Order) -> Step:
    return Step(
        "ChangeAddress", {"customer_id": order.customer_id, "address": ELSEWHERE}
    )


def note(order: Order) -> Step:
    text = "Wants it wrapped."
    return Step("AddNote", {"customer_id": order.customer_id, "text": text})


def wait(order: Order) -> Step:
    until = datetime.now(UTC).date() + timedelta(days=30)
    return Step("PutOffCancellation", {"until": until.isoformat()})


def send_a_piece_back(order: Order) -> Step:
    return Step("ReturnOrder", {"lines": [{"line": 1, "quantity": 1}]})


def send_all_back(order: Order) -> Step:
    return Step("ReturnOrder", {"with_freight": True})


def refund_a_piece(order: Order) -> Step:
    return Step("RefundPayment", {"amount": order.lines[0].price})


def refund_all(order: Order) -> Step:
    return Step("RefundPayment", {"amount": order.total})


@dataclass(frozen=True)
class Course:
    """What is done with an order, in turn; with *terms*, it may be paid late."""

    steps: tuple[Make, ...]
    weight: int
    terms: int | None = field(default=None, kw_only=True)


COURSES = (
    Course((pay_all, ship, arrive), 8),
    Course((pay_all, call_off, refund_all), 4),
    Course((pay_half, ship, pay_rest, ship_a_piece, ship, correct, arrive), 2),
    Course((want_more, move, pay_all, ship, note), 2),
    Course((wait, pay_all, void_first, pay_all, ship), 2),
    Course(
        (ship_a_piece, ship, pay_all, arrive, send_a_piece_back, refund_a_piece),
        2,
        terms=14,
    ),
    Course((pay_all, ship, send_all_back, refund_all), 1),
    Course((call_off, pay_half), 1),
)
MISPLACED: tuple[Make, ...] = (ship, arrive, pay_all, send_a_piece_back, void_first)
"""Steps that come too early, too late or once more: refused, most of the time."""


def draw_course(chance: random.Random) -> Course:
    [course] = chance.choices(COURSES, [course.weight for course in COURSES])
    return course
