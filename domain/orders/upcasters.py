"""The upcasters of the events of orders."""

from collections.abc import Callable, Mapping
from typing import Any


def with_discount(data: dict[str, Any]) -> dict[str, Any]:
    """Add the discount 0 to the data of an order of version 1."""
    return {**data, "discount": "0.0"}


UPCASTERS: Mapping[tuple[str, int], Callable[[dict[str, Any]], dict[str, Any]]] = {
    ("OrderCreated", 1): with_discount,
}
