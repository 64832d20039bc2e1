"""The values of rows in words, as they stand on a page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from domain.address import Address
from domain.forgotten import FORGOTTEN
from readmodels.rows_in_words import AMOUNTS
from webapp.forms.labels import field_name
from webapp.notation import Notation

COUNTED = {
    "lines": ("line", "lines"),
    "payments": ("payment", "payments"),
    "parcels": ("parcel", "parcels"),
    "notes": ("note", "notes"),
    "history": ("event", "events"),
}
"""What the parts of a column are called, by the column's name."""
ADDRESS = ("name", "street", "postal_code", "city", "region", "country")
NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The *currency* of what is put into words, and how all of it is written."""

    currency: str
    notation: Notation

    def word(self, column: str, value: Any) -> str:
        """Return a value of *column* on one line; a list only by its length."""
        match value:
            case None | () | "":
                return NOTHING
            case bool():
                return "yes" if value else "no"
            case int() if column in AMOUNTS:
                return self.notation.write_money(value, self.currency)
            case int() if column == "order_id":
                return str(value)
            case int():
                return self.notation.write_number(value)
            case Decimal() if column == "discount":
                return self.notation.write_percent(value)
            case datetime():
                return self.notation.write_moment(value)
            case date():
                return self.notation.write_day(value)
            case Address():
                parts = (getattr(value, part) for part in ADDRESS)
                return ", ".join(part for part in parts if part is not None)
            case tuple() | list() if any(is_dataclass(part) for part in value):
                one, several = COUNTED.get(column, ("part", "parts"))
                count = self.notation.write_number(len(value))
                return f"{count} {one if len(value) == 1 else several}"
            case tuple() | list():
                return ", ".join(self.word(column, part) for part in value)
            case Mapping():
                return ", ".join(
                    f"{field_name(name)} {self.word(name, part)}"
                    for name, part in value.items()
                )
            case _ if is_dataclass(value):
                return self.phrase(value)
        return str(value)

    def phrase(self, part: Any) -> str:
        """Return the fields of a part of a value, those that hold something."""
        told = (
            f"{field_name(field.name)} {self.word(field.name, held)}"
            for field in fields(part)
            if (held := getattr(part, field.name)) not in (None, (), "")
        )
        return ", ".join(told)

    def parts(self, value: Any) -> Iterator[str]:
        """Yield a line for each part of a column that is a list of parts."""
        if isinstance(value, tuple | list):
            yield from (self.phrase(part) for part in value if is_dataclass(part))


def is_forgotten(value: Any) -> bool:
    """Return whether *value* stands for what was forgotten."""
    if isinstance(value, Address):
        return value.city == FORGOTTEN or value.street == FORGOTTEN
    return bool(value == FORGOTTEN)
