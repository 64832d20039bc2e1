"""The stages of the live demo: what is sent of which orders, one after the other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from domain.orders.status import Status
from tasks.shop.demo.client import FinishedCommand
from tasks.shop.demo.goods import amount_in
from tasks.shop.demo.orders import ORDERS, Order

Results = Mapping[str, FinishedCommand]
"""The commands of a stage that have succeeded, by the name of their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """
    What a run knows: the shop's currency, the numbers of customers, what is done.

    *done* has what came of the stages so far, by their names.
    """

    currency: str
    customers: Mapping[str, str]
    done: dict[str, Results] = field(default_factory=dict)

    def number_of(self, name: str) -> int:
        return int(self.done["PlaceOrder"][name].subject)


Data = Callable[[Live, str, Order], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Stage:
    """
    A command that is sent for all orders of a kind.

    *name* tells it from another stage with the same command. *data* returns the
    command's fields but for the number of the order, always the same ones: a run that
    was killed is gone on with by sending them again.
    """

    name: str
    command: str
    is_meant: Callable[[Order], bool]
    data: Data

    @property
    def orders(self) -> dict[str, Order]:
        """The orders that it is about, by name."""
        return {
            f"order-{place}": order
            for place, order in enumerate(ORDERS, 1)
            if self.is_meant(order)
        }


def placed(live: Live, name: str, order: Order) -> Mapping[str, Any]:
    return {
        "customer_id": live.customers[order.customer],
        "items": order.items(live.currency),
        "address": order.address(),
        "currency": live.currency,
        "freight": amount_in(live.currency, order.freight),
        "terms": order.terms,
    }


def changed(live: Live, name: str, order: Order) -> Mapping[str, Any]:
    return {"items": order.lines(order.quantities)}


def moved(live: Live, name: str, order: Order) -> Mapping[str, Any]:
    return {
        "customer_id": live.customers[order.customer],
        "address": {**order.address(), **(order.elsewhere or {})},
    }


def noted(live: Live, name: str, order: Order) -> Mapping[str, Any]:
    return {"customer_id": live.customers[order.customer], "text": order.note}


def put_off(live: Live, name: str, order: Order) -> Mapping[str, Any]:
    # Not from today on: the next run must send the same command.
    day = live.done["PlaceOrder"][name].finished_at.date()
    return {"until": (day + timedelta(days=order.put_off)).isoformat()}


def first_part(live: Live, name: str, order: Order) -> Mapping[str, Any]:
    return {"amount": order.total(live.currency) // order.parts}


def other_part(live: Live, name: str, order: Order) -> Mapping[str, Any]:
    total = order.total(live.currency)
    return {"amount": total - total // order.parts}


def shipped(live: Live, name: str, order: Order) -> Mapping[str, Any]:
    parcel = 1 if order.parcel is None else 2
    return {"tracking_no": tracking_of(name, 9 if order.is_mistyped else parcel)}


def delivered(live: Live, name: str, order: Order) -> Mapping[str, Any]:
    return {"delivered_at": live.done["ShipOrder"][name].finished_at.isoformat()}


def returned(live: Live, name: str, order: Order) -> Mapping[str, Any]:
    if order.status is Status.RETURNED:
        return {"with_freight": True}
    return {"lines": order.lines(order.returned or {})}


def refunded(live: Live, name: str, order: Order) -> Mapping[str, Any]:
    is_all = order.status in (Status.RETURNED, Status.CANCELLED)
    amount = order.total(live.currency) if is_all else order.credit(live.currency)
    return {"amount": amount}


def tracking_of(name: str, parcel: int = 1) -> str:
    """Return the tracking number that the invented carrier gives a parcel."""
    place = int(name.partition("-")[2])
    return f"PF{48_110_000 + 7_919 * place + parcel - 1}EU"


STAGES = (
    Stage(
        "ChangeItems", "ChangeItems", lambda order: order.placed is not None, changed
    ),
    Stage("ChangeAddress", "ChangeAddress", lambda order: bool(order.elsewhere), moved),
    Stage(
        "PutOffCancellation",
        "PutOffCancellation",
        lambda order: order.put_off > 0,
        put_off,
    ),
    Stage(
        "ReceivePayment",
        "ReceivePayment",
        lambda order: (order.is_paid and order.terms is None) or order.is_part_paid,
        first_part,
    ),
    Stage(
        "CancelOrder",
        "CancelOrder",
        lambda order: order.status is Status.CANCELLED,
        lambda live, name, order: {"reason": order.reason},
    ),
    Stage(
        "ShipParcel",
        "ShipParcel",
        lambda order: order.parcel is not None,
        lambda live, name, order: {
            "tracking_no": tracking_of(name),
            "lines": order.lines(order.parcel or {}),
        },
    ),
    Stage("ShipOrder", "ShipOrder", lambda order: order.is_shipped, shipped),
    Stage(
        "CorrectTracking",
        "CorrectTracking",
        lambda order: order.is_mistyped,
        lambda live, name, order: {"parcel": 1, "tracking_no": tracking_of(name)},
    ),
    Stage(
        "ReceivePayment on account",
        "ReceivePayment",
        lambda order: order.is_paid and order.terms is not None,
        first_part,
    ),
    Stage(
        "ReceivePayment of the rest",
        "ReceivePayment",
        lambda order: order.is_paid and order.parts > 1,
        other_part,
    ),
    Stage(
        "VoidPayment",
        "VoidPayment",
        lambda order: order.is_bounced,
        lambda live, name, order: {"payment": order.parts},
    ),
    Stage(
        "ReceivePayment again",
        "ReceivePayment",
        lambda order: order.is_bounced,
        other_part,
    ),
    Stage(
        "ConfirmDelivery",
        "ConfirmDelivery",
        lambda order: order.is_delivered,
        delivered,
    ),
    Stage(
        "ReturnOrder", "ReturnOrder", lambda order: order.returned is not None, returned
    ),
    Stage(
        "RefundPayment",
        "RefundPayment",
        lambda order: order.returned is not None or order.was_paid,
        refunded,
    ),
    Stage("AddNote", "AddNote", lambda order: bool(order.note), noted),
)
"""What follows the placing of all orders."""
PLACING = Stage("PlaceOrder", "PlaceOrder", lambda order: True, placed)
