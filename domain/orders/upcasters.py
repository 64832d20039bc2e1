"""The upcasters of the events of orders."""

from collections.abc import Callable, Mapping
from typing import Any


def with_discount(data: dict[str, Any]) -> dict[str, Any]:
    """Add the discount 0 to the data of an order of version 1."""
    return {**data, "discount": "0.0"}


def with_freight_in_total(data: dict[str, Any]) -> dict[str, Any]:
    """
    Number the lines of an order of version 2, and put its freight aside.

    It was noted, but nobody was asked for it: what such an order costs stays what it
    was. All were to be paid before they were shipped.
    """
    lines = [{"number": place, **item} for place, item in enumerate(data["items"], 1)]
    carriage = data.get("freight")
    return {**data, "items": lines, "freight": 0, "terms": None, "carriage": carriage}


def with_payment_number(data: dict[str, Any]) -> dict[str, Any]:
    """Number the payment: an order of that time had one, of all that was due."""
    return {**data, "payment": 1}


Upcasters = Mapping[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]]

OF_CREATED: Upcasters = {
    ("OrderCreated", 1): with_discount,
    ("OrderCreated", 2): with_freight_in_total,
}
"""For who reads no payments: with an upcaster of theirs they would have to be read."""

UPCASTERS: Upcasters = {**OF_CREATED, ("PaymentReceived", 1): with_payment_number}
