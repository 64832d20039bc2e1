"""The lines of an order: what they are made of, what they come to, what was moved."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from domain.fields import MAX_LINES, LineNumber, Quantity, Several
from domain.money import rounded_total
from domain.orders import rules

NO_LINES = "must name at least one line"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """
    A line of an order; *unit_price* is in minor units of the order's currency.

    Its *number* stays its own while the other lines change. Name and price are those of
    the day when it was ordered, whatever the price list says later.
    """

    number: int
    product: str
    product_id: str | None = None
    quantity: int
    unit_price: int
    discount: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineQuantity:
    """How many pieces of a line; *line* is its number."""

    line: LineNumber
    quantity: Quantity


LineQuantities = Annotated[tuple[LineQuantity, ...], Several(MAX_LINES, NO_LINES)]


@dataclass(frozen=True, slots=True)
class LineState:
    """A line, and how many of its pieces were shipped and came back."""

    line: Line
    shipped: int = 0
    returned: int = 0

    @property
    def to_ship(self) -> int:
        return self.line.quantity - self.shipped

    @property
    def to_return(self) -> int:
        return self.shipped - self.returned

    @property
    def is_returned(self) -> bool:
        return self.returned == self.line.quantity


def total_of(lines: Iterable[Line], discount: Decimal = Decimal(0)) -> int:
    """Return what lines come to after their discounts, in minor units."""
    return rounded_total(
        ((line.unit_price, line.quantity, line.discount) for line in lines), discount
    )


def kept_total(lines: Iterable[LineState], discount: Decimal) -> int:
    """Return what the pieces that did not come back are worth, in minor units."""
    return rounded_total(
        (
            (s.line.unit_price, s.line.quantity - s.returned, s.line.discount)
            for s in lines
        ),
        discount,
    )


def by_line(quantities: Iterable[LineQuantity]) -> dict[int, int]:
    """Return how many pieces are named of each line, by its number."""
    found: dict[int, int] = {}
    for one in quantities:
        found[one.line] = found.get(one.line, 0) + one.quantity
    return found


def check_quantities(
    lines: Sequence[LineState], asked: Mapping[int, int], left: Mapping[int, int]
) -> None:
    """Raise UnknownLine or QuantityTooHigh for more pieces than are *left*."""
    names = {state.line.number: state.line.product for state in lines}
    for number, quantity in asked.items():
        if number not in names:
            raise rules.UnknownLine(line=number)
        if quantity > left[number]:
            raise rules.QuantityTooHigh(
                line=number, product=names[number], asked=quantity, left=left[number]
            )


def quantities_of(asked: Mapping[int, int]) -> tuple[LineQuantity, ...]:
    """Return *asked* as it stands in an event, in the order of the lines."""
    return tuple(
        LineQuantity(line=number, quantity=quantity)
        for number, quantity in sorted(asked.items())
        if quantity
    )
