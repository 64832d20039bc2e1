"""From what people type to the plain data that a command is read from, and back."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from domain.errors import Fault
from domain.fields import HIGHEST_AMOUNT
from domain.money import format_number, parse_amount

LINE_NAME = re.compile(r"items\.([0-9]{1,4})\.([a-z_]+)")

ADDRESS = (
    "address.name",
    "address.street",
    "address.postal_code",
    "address.city",
    "address.region",
    "address.country",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """
    A form for one command: its fields are named as the command's data is.

    What it *needs* is in the data even if nothing was typed for it, so that each
    field that is missing is named.
    """

    command: str
    endpoint: str
    title: str
    template: str
    fields: tuple[str, ...]
    line_fields: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def place_of(self, name: str) -> tuple[int, int, int]:
        """Return what sorts a field where the page has it; lines come second."""
        line = LINE_NAME.fullmatch(name)
        if line:
            return 1, int(line[1]), place(line[2], self.line_fields)
        if name.startswith("items"):
            return 1, -1, 0
        return 2 * place(name, self.fields), 0, 0


def place(name: str, names: tuple[str, ...]) -> int:
    return names.index(name) if name in names else len(names)


PLACE = Form(
    command="PlaceOrder",
    endpoint="orders.place",
    title="Place an order",
    template="forms/place_order.html",
    fields=("customer_id", *ADDRESS, "required_date", "freight"),
    line_fields=("product", "product_id", "quantity", "unit_price", "discount"),
    needs=("address",),
)
CANCEL = Form(
    command="CancelOrder",
    endpoint="orders.cancel",
    title="Cancel order {order_id}",
    template="forms/cancel_order.html",
    fields=("reason",),
)
REGISTER = Form(
    command="RegisterCustomer",
    endpoint="customers.register",
    title="Register a customer",
    template="forms/register_customer.html",
    fields=("name", "customer_id", "email", "contact_name", "phone", *ADDRESS),
)
FORMS = (PLACE, CANCEL, REGISTER)


@dataclass(slots=True)
class Typed:
    """What was typed into a form: texts, by the name of their field."""

    fields: dict[str, str]
    lines: list[dict[str, str]] = field(default_factory=list)


def typed_in(form: Form, posted: Mapping[str, str]) -> Typed:
    """Return what *posted* has for *form*; other fields are left out."""
    lines: dict[int, dict[str, str]] = {}
    for name, text in posted.items():
        match = LINE_NAME.fullmatch(name)
        if match and match[2] in form.line_fields:
            lines.setdefault(int(match[1]), {})[match[2]] = text.strip()
    return Typed(
        {name: posted.get(name, "").strip() for name in form.fields},
        [lines[number] for number in sorted(lines)],
    )


def without_empty_lines(typed: Typed) -> Typed:
    return Typed(typed.fields, [line for line in typed.lines if any(line.values())])


def data_of(form: Form, typed: Typed, currency: str) -> tuple[Any, list[Fault]]:
    """
    Return the data that *typed* stands for, and what in it cannot be read.

    An empty field is one that is not there.
    """
    faults: list[Fault] = []
    data: dict[str, Any] = {name: {} for name in form.needs}
    for name in form.fields:
        read_into(data, name.split("."), typed.fields[name], name, currency, faults)
    if form.line_fields:
        data["items"] = [
            line_data(line, f"items.{number}", currency, faults)
            for number, line in enumerate(typed.lines)
        ]
    return data, faults


def line_data(
    line: Mapping[str, str], path: str, currency: str, faults: list[Fault]
) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, text in line.items():
        read_into(data, [name], text, f"{path}.{name}", currency, faults)
    return data


def read_into(
    data: dict[str, Any],
    names: list[str],
    text: str,
    path: str,
    currency: str,
    faults: list[Fault],
) -> None:
    *parents, name = names
    if not text:
        return
    for parent in parents:
        data = data.setdefault(parent, {})
    try:
        data[name] = READERS.get(name, as_text)(text, currency)
    except ValueError as error:
        faults.append(Fault(path, str(error)))


def as_text(text: str, currency: str) -> str:
    return text


def as_amount(text: str, currency: str) -> int:
    amount = parse_amount(text, currency)
    if amount > HIGHEST_AMOUNT:
        raise ValueError(f"must be at most {format_number(HIGHEST_AMOUNT, currency)}")
    return amount


def as_price(text: str, currency: str) -> int:
    price = as_amount(text, currency)
    if price == 0:
        raise ValueError(f"must be at least {format_number(1, currency)}")
    return price


def as_quantity(text: str, currency: str) -> int:
    if not re.fullmatch("-?[0-9]{1,15}", text):
        raise ValueError("write a whole number, like 3")
    return int(text)


def as_discount(text: str, currency: str) -> str:
    """Return the decimal fraction that a percentage is: `0.125` of `12.5`."""
    percent = text.removesuffix("%").strip()
    if (
        not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,2})?", percent)
        or Decimal(percent) > 100
    ):
        raise ValueError("write a percentage from 0 to 100, like 5 or 12.5")
    return format(Decimal(percent) / 100, "f")


READERS: dict[str, Callable[[str, str], object]] = {
    "unit_price": as_price,
    "freight": as_amount,
    "quantity": as_quantity,
    "discount": as_discount,
}


def typed_for(form: Form, data: Mapping[str, Any], currency: str) -> Typed:
    """Return what would have been typed into *form* to mean *data*."""
    return Typed(
        {name: written(data, name.split("."), currency) for name in form.fields},
        [
            {name: written(line, [name], currency) for name in form.line_fields}
            for line in (data.get("items") or () if form.line_fields else ())
        ],
    )


def written(data: Any, names: list[str], currency: str) -> str:
    for name in names:
        data = data.get(name) if isinstance(data, Mapping) else None
    if data is None:
        return ""
    if names[-1] in ("unit_price", "freight"):
        return format_number(data, currency).replace(",", "")
    return percentage(data) if names[-1] == "discount" else str(data)


def percentage(part: str) -> str:
    """Return the decimal fraction *part* as a percentage; nothing for none."""
    return format((Decimal(part) * 100).normalize(), "f") if Decimal(part) else ""
