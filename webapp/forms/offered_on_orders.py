"""What can be done with an order as it is, and what its forms are filled in with."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain.forgotten import FORGOTTEN
from readmodels.order_details import OrderDetailsView
from readmodels.order_parts import Line

UNSHIPPED = ("pending", "paid")


def owed(order: OrderDetailsView) -> int:
    """Return what is not paid of an order, which may be cancelled."""
    return order.total - order.paid + order.refunded


def can_be_shipped(order: OrderDetailsView) -> bool:
    is_paid = order.due == 0 or order.terms is not None
    return order.status in UNSHIPPED and is_paid


def is_known(order: OrderDetailsView) -> bool:
    """Return whether the order's customer was not forgotten."""
    return order.customer_name != FORGOTTEN


def to_ship(line: Line) -> int:
    return line.quantity - line.shipped


def to_return(line: Line) -> int:
    return line.shipped - line.returned


def payments_that_count(order: OrderDetailsView) -> Sequence[int]:
    return [p.payment for p in order.payments if p.voided_at is None]


def lines_to_ship(order: OrderDetailsView) -> Mapping[str, Any]:
    """Return the lines of a parcel with all that is left."""
    return lines_of(order, {line.number: to_ship(line) for line in order.lines})


def what_is_packed(order: OrderDetailsView) -> tuple[Any, ...]:
    """Return what somebody relies on who packs a parcel: the pieces, and where to."""
    return lines_to_ship(order), order.address


def lines_to_return(order: OrderDetailsView) -> Mapping[str, Any]:
    """Return the lines that can come back, none of which is said to have."""
    left = {line.number: to_return(line) for line in order.lines}
    return lines_of(order, left, is_filled=False)


def lines_of(
    order: OrderDetailsView, left: Mapping[int, int], *, is_filled: bool = True
) -> Mapping[str, Any]:
    return {
        "lines": [
            {
                "line": line.number,
                "product": line.product,
                "left": left[line.number],
                "quantity": left[line.number] if is_filled else None,
            }
            for line in order.lines
            if left[line.number]
        ]
    }


def lines_and_money(order: OrderDetailsView) -> Mapping[str, Any]:
    """Return the lines of an order as they are, its discount and its freight."""
    return {
        "items": [
            {
                "line": line.number,
                "product": line.product,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
                "discount": line.discount,
            }
            for line in order.lines
        ],
        "discount": order.discount,
        "freight": order.freight,
    }
