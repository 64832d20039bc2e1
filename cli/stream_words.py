"""The text form of a stream: its events, its states and their fields."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, is_dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from domain.address import Address
from domain.money import Money
from domain.orders.lines import Line as OrderLine
from domain.orders.lines import LineQuantity, LineState
from domain.orders.state import Payment
from eventstore.encryption.envelope import FORGOTTEN
from eventstore.encryption.personal_fields import PLACEHOLDER, personal_fields
from eventstore.log.events import RecordedEvent
from tasks.shop.differences import ABSENT, parts
from tasks.shop.printable import printable
from webapp.forms.labels import event_label, field_name
from webapp.notation import Notation

AMOUNTS = frozenset(
    {"amount", "carriage", "freight", "paid", "refunded", "total", "unit_price"}
)
"""Fields with minor units, of the currency that their order has."""
WHOLE = (Address, LineQuantity, LineState, Money, OrderLine, Payment)
"""What is said in one piece, not field by field."""
ADDRESS = ("name", "street", "postal_code", "city", "region", "country")
NOBODY_KNOWN = "nobody known"
"""The text for an event without an actor: imported, or inserted by hand."""

Line = tuple[str, str]
"""A field and its value, as texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How the amounts and times of a shop are written."""

    notation: Notation

    def head_of(self, event: RecordedEvent) -> list[str]:
        """Return when an event happened, and what; then where, who, and why."""
        told = msgspec.json.decode(event.metadata)
        when = self.notation.write_moment(event.occurred_at)
        command_id = told.get("command_id")
        who = [
            f"{event.type} at position {event.position}",
            f"by {told.get('actor') or NOBODY_KNOWN}",
            f"command {command_id}" if command_id else "no command",
            f"imported from {told['source']}" if told.get("source") else "",
        ]
        return [
            printable(f"{event.version:5}  {when}  {event_label(event.type)}"),
            printable(f"       {', '.join(filter(None, who))}"),
        ]

    def lines_of_event(
        self, event: RecordedEvent, facts: Sequence[Any], state: Any
    ) -> list[str]:
        """Return the text of an event; of an unreadable one, its JSON."""
        if not facts:
            return [f"         {printable(event.data)}"]
        is_forgotten = FORGOTTEN in msgspec.json.decode(event.data)
        return [
            line
            for fact in facts
            for line in self.lines_of_fact(fact, state, is_forgotten)
        ]

    def lines_of_fact(self, fact: Any, state: Any, is_forgotten: bool) -> list[str]:
        kind: type = type(fact)
        forgotten = personal_fields(kind) if is_forgotten else ()
        return align(self.of_currency(fact, state).lines_of(fact, forgotten))

    def of_currency(self, *values: Any) -> "Words":
        """Return the words for what is in the currency that one of *values* tells."""
        for value in values:
            for name, part in (parts(value, (Money,)) or {}).items():
                if isinstance(part, Money) and part.currency:
                    return self.with_currency(part.currency)
                if name == "currency" and isinstance(part, str):
                    return self.with_currency(part)
        return self

    def with_currency(self, currency: str) -> "Words":
        return Words(notation=replace(self.notation, currency=currency))

    def lines_of(self, value: Any, forgotten: Collection[str] = ()) -> Iterator[Line]:
        """Yield the fields of a value that hold something, also those deeper inside."""
        for name, part in (parts(value, ()) or {}).items():
            if name in forgotten:
                yield label_parts(name), "forgotten"
            elif name == "currency" or part is None or part == ():
                continue
            elif is_dataclass(part) and not isinstance(part, WHOLE):
                yield from self.lines_of(part)
            elif isinstance(part, list | tuple):
                yield from ((label_parts(name), self.word(name, one)) for one in part)
            else:
                yield label_parts(name), self.word(name, part)

    def word(self, name: str, value: Any) -> str:
        """Return what a field called *name* holds, on a line and fit for a terminal."""
        return printable(self.words(name, value))

    def words(self, name: str, value: Any) -> str:
        match value:
            case None | "":
                return "none"
            case _ if value is ABSENT:
                return "nothing"
            case bool():
                return "yes" if value else "no"
            case Money():
                return str(value) if value.currency else "none"
            case int() if name in AMOUNTS:
                return self.notation.write_money(value, self.notation.currency)
            case Decimal() if name == "discount":
                return self.notation.write_percent(value)
            case datetime():
                return self.notation.write_moment(value)
            case date():
                return self.notation.write_day(value)
            case Enum():
                return str(value.value)
            case Address():
                return self.words_of_address(value)
            case OrderLine():
                return self.words_of_line(value)
            case LineState():
                return self.words_of_state(value)
            case LineQuantity():
                return f"{value.quantity} of line {value.line}"
            case Payment():
                void = ", void" if value.is_void else ""
                return self.words("amount", value.amount) + void
            case list() | tuple():
                return "; ".join(self.words(name, part) for part in value) or "none"
            case _ if is_dataclass(value):
                return "; ".join(
                    f"{label}: {text}" for label, text in self.lines_of(value)
                )
        return "forgotten" if value == PLACEHOLDER else str(value)

    def words_of_address(self, address: Address) -> str:
        told = (getattr(address, part) for part in ADDRESS)
        words = [self.words("", part) for part in told if part is not None]
        return "forgotten" if set(words) == {"forgotten"} else ", ".join(words)

    def words_of_line(self, line: OrderLine) -> str:
        number = f" ({line.product_id})" if line.product_id else ""
        price = self.words("unit_price", line.unit_price)
        off = f", less {self.words('discount', line.discount)}" if line.discount else ""
        return f"{line.quantity} x {line.product}{number} at {price}{off}"

    def words_of_state(self, state: LineState) -> str:
        """Return a line with what of it was shipped and came back, if anything."""
        shipped = f"; {state.shipped} shipped" if state.shipped else ""
        back = f", {state.returned} came back" if state.returned else ""
        return self.words_of_line(state.line) + shipped + back


def label_parts(name: str) -> str:
    if name in ("items", "lines"):
        return "Line"
    return printable(field_name(name).capitalize())


def align(lines: Iterator[Line]) -> list[str]:
    told = list(lines)
    width = max((len(label) for label, _ in told), default=0)
    return [f"         {label:{width}}  {text}" for label, text in told]
