"""Rows in words: what a row is called, and what differs between two of them."""

from dataclasses import dataclass
from typing import Any

import msgspec

from domain.money import format_number
from eventstore.projections.projection import Row
from eventstore.projections.table_differences import RowDifference

NOUNS = {
    "order_id": "order",
    "customer_id": "customer",
    "account_id": "account",
    "transfer_id": "transfer",
    "product_id": "product",
    "product": "product",
    "position": "statement line",
    "scope": "sum of",
}
"""What a row is, by the name of its key."""

AMOUNTS = frozenset(
    {"total", "gross", "freight", "carriage", "paid", "refunded", "due", "credit"}
    | {"worth", "balance", "change", "amount", "unit_price"}
)
"""The columns with amounts in minor units, of the row's currency or the shop's."""

MAX_COLUMNS = 3
MAX_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Words:
    """Says what differs; *key* is the name of the key, *currency* the shop's."""

    key: str
    currency: str

    def name_of(self, difference: RowDifference) -> str:
        """Return what the row is called: `order 10248`."""
        noun = NOUNS.get(self.key, self.key.replace("_", " "))
        return f"{noun} {difference.key}"

    def sentence(self, difference: RowDifference) -> str:
        """Return in one line what differs: `order 10248: total 440.00, was 440.01`."""
        name = self.name_of(difference)
        if difference.before is None:
            return f"{name}: it was not there"
        if difference.after is None:
            return f"{name}: it is not there any more"
        named = [
            f"{column.replace('_', ' ')} {self.value(difference.after, column)},"
            f" was {self.value(difference.before, column)}"
            for column in difference.columns[:MAX_COLUMNS]
        ]
        more = len(difference.columns) - len(named)
        if more:
            named.append(f"{more} more columns" if more > 1 else "1 more column")
        return f"{name}: {'; '.join(named)}"

    def value(self, row: Row, column: str) -> str:
        """Return a value of a row as people read it."""
        value = getattr(row, column)
        if column in AMOUNTS and isinstance(value, int):
            currency = getattr(row, "currency", None)
            if currency is None and hasattr(row, "account_id"):
                # Its account knows, which may be of another currency than the shop.
                return f"{value:,} minor units"
            return format_number(value, currency or self.currency)
        return shortened(value)


def shortened(value: Any) -> str:
    if value is None:
        return "nothing"
    if value == "":
        return "empty"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    text = text.strip('"')
    if len(text) > MAX_CHARACTERS:
        return text[: MAX_CHARACTERS - 1] + "…"
    return text
