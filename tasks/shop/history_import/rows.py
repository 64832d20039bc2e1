"""
The rows of the four files, and how the text of a cell becomes a value.

The kinds of field are those of commands (`domain.fields`), the rules are not: an old
item may have been free of charge, and a number may be a customer's id.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Annotated, Any, TypeVar, cast

from domain.errors import Fault, InvalidInput
from domain.fields import (
    MAX_AMOUNT,
    CustomerId,
    Discount,
    Email,
    Freight,
    Name,
    Quantity,
    ShortText,
    Whole,
)
from domain.input import parse
from domain.money import parse_amount
from tasks.shop.history_import.csv_files import Row, show_text

R = TypeVar("R")

MAX_NUMBER = 10**12
"""Of an order: the shop's own numbers continue after it, and need room."""
EARLIEST, LATEST = date(2, 1, 1), date(9998, 12, 31)
"""In any time zone, PostgreSQL and Python can both represent these days."""

DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")

Number = Annotated[int, Whole(1, MAX_NUMBER)]
Price = Annotated[int, Whole(0, MAX_AMOUNT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRow:
    customer_id: CustomerId
    company_name: Name
    contact_name: Name | None = None
    address: Name | None = None
    city: ShortText | None = None
    region: ShortText | None = None
    postal_code: ShortText | None = None
    country: ShortText | None = None
    phone: ShortText | None = None
    email: Email | None = None

    def missing_of_address(self) -> list[str]:
        """Return the missing mandatory fields of a partly filled address."""
        parts = ("address", "city", "country")
        others = (self.region, self.postal_code)
        missing = [name for name in parts if getattr(self, name) is None]
        is_begun = len(missing) < len(parts) or any(others)
        return missing if is_begun else []


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRow:
    product_id: ShortText
    product_name: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    """
    What the price list needs of the row of a product.

    It is read for itself: orders of a product are kept whatever its price is.
    """

    product_id: ShortText
    unit_price: Price | None = None
    discontinued: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRow:
    order_id: Number
    customer_id: CustomerId
    order_date: date
    required_date: date | None = None
    shipped_date: date | None = None
    freight: Freight | None = None
    ship_name: Name | None = None
    ship_address: Name
    ship_city: ShortText
    ship_region: ShortText | None = None
    ship_postal_code: ShortText | None = None
    ship_country: ShortText


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    # It may be any number, but there must be an order with it.
    order_id: int
    product_id: ShortText
    unit_price: Price
    quantity: Quantity
    discount: Discount = Decimal(0)


NOT_NEEDED: Mapping[type, tuple[str, ...]] = {
    CustomerRow: ("email",),
    PriceRow: ("unit_price", "discontinued"),
}
"""Optional columns, kept if a file has them."""


@cache
def columns_of(kind: type) -> tuple[str, ...]:
    """Return the columns that rows of *kind* keep."""
    return tuple(field.name for field in fields(kind))


def needed_columns(kind: type) -> list[str]:
    optional = NOT_NEEDED.get(kind, ())
    return [name for name in columns_of(kind) if name not in optional]


def read_row(kind: type[R], row: Row, currency: str) -> R:
    """Return the row as one of *kind*. Raises InvalidInput with all its faults."""
    if row.problem is not None:
        raise InvalidInput([Fault("row", row.problem)])
    faults, values = [], {}
    for name in columns_of(cast(Any, kind)):
        text = row.text(name)
        if text:
            try:
                if row.has_decimal_commas and name in NUMBERS:
                    text = with_decimal_point(text)
                values[name] = value_of(name, text, currency)
            except ValueError as error:
                faults.append(Fault(name, str(error)))
    if not faults:
        value = parse(kind, values)
        if not isinstance(value, CustomerRow):
            return value
        faults = [Fault(name, "is missing") for name in value.missing_of_address()]
        if not faults:
            return value
    raise InvalidInput(faults)


def reason_in(error: InvalidInput, row: Row) -> str:
    """Return what is wrong with *row*, with the wrong values."""
    return "; ".join(
        f"{fault.field} {show_text(row.values[fault.field])} {fault.problem}"
        if row.text(fault.field)
        else f"{fault.field} {fault.problem}"
        for fault in error.faults
    )


# A few values are repeated often; with a cache each is also kept only once.
@lru_cache(10_000)
def value_of(column: str, text: str, currency: str) -> Any:
    """Return a cell's plain value. Raises ValueError."""
    if column in AMOUNTS:
        return amount(text, currency)
    convert = CONVERSIONS.get(column)
    return on_a_line(text) if convert is None else convert(text)


def on_a_line(text: str) -> str:
    """Return *text* with a blank for each line end: old addresses have several."""
    return re.sub(r"[\r\n\t]+", " ", text)


def whole(text: str) -> int:
    if not re.fullmatch("-?[0-9]{1,18}", text):
        raise ValueError("must be a whole number")
    return int(text)


def amount(text: str, currency: str) -> int:
    """Return minor units. Raises ValueError for more digits than the currency has."""
    plain = text.rstrip("0").rstrip(".") if re.search(r"\d\.\d+$", text) else text
    try:
        return parse_amount(plain, currency)
    except ValueError as error:
        raise ValueError(f"must be an amount in {currency}: {error}") from error


def with_decimal_point(text: str) -> str:
    """
    Return a number with its decimal comma, if any, replaced by a point.

    Raises ValueError for 1,250, which is ambiguous: it may mean a thousand.
    """
    if re.fullmatch(r"-?[1-9][0-9]{0,2}(,[0-9]{3})+", text.strip()):
        raise ValueError("may be thousands or thousandths: write it without a comma")
    return text.replace(",", ".") if text.count(",") == 1 and "." not in text else text


def fraction(text: str) -> str:
    """Return the fraction without superfluous zeros."""
    if not re.fullmatch(r"[0-9](\.[0-9]{1,20})?", text):
        raise ValueError("must be a fraction from 0 to 1, like 0.05")
    return f"{Decimal(text).normalize():f}"


def yes_or_no(text: str) -> bool:
    """Return a truth value in one of the forms in which databases export it."""
    if text.strip().lower() not in (*YES, *NO):
        raise ValueError("must be 1 or 0, yes or no")
    return text.strip().lower() in YES


def day(text: str) -> str:
    """Return a date without the midnight that some databases append."""
    plain = re.sub(r"[ T]00:00(:00(\.0+)?)?$", "", text)
    try:
        # fromisoformat accepts more forms of a date, such as weeks.
        found = date.fromisoformat(plain if DATE.fullmatch(plain) else "")
    except ValueError as error:
        raise ValueError("is no date like 1996-07-04") from error
    if not EARLIEST <= found <= LATEST:
        raise ValueError(f"must be from {EARLIEST} to {LATEST}")
    return found.isoformat()


YES, NO = ("1", "-1", "t", "true", "y", "yes"), ("0", "f", "false", "n", "no")
AMOUNTS = ("unit_price", "freight")
NUMBERS = (*AMOUNTS, "discount")
CONVERSIONS: dict[str, Callable[[str], object]] = {
    "order_id": whole,
    "quantity": whole,
    "discount": fraction,
    "discontinued": yes_or_no,
    "order_date": day,
    "required_date": day,
    "shipped_date": day,
}
