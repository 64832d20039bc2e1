"""Documents by chance, and what a filter finds among them, worked out on plain JSON."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from domain.address import Address
from domain.orders.lines import LineQuantity
from readmodels.customers import CustomerRow
from readmodels.order_details import OrderDetailsView
from readmodels.order_list import STATUSES
from readmodels.order_parts import HistoryLine, Line, NoteLine, Parcel, Payment

BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)
PRODUCTS = ("Chai", "Chang", "Chai, cold", r"C\a", "Côte de Blaye", "50 % (off).*", "ß")
CITIES = ("Berlin", "Bern", "Århus", "'; DROP TABLE orders; --", '{"$gt": ""}')
EVENTS = ("OrderCreated", "PaymentReceived", "OrderShipped", "OrderCancelled")
FRACTIONS = ("0", "0.0", "0.05", "0.050", "0.1", "0.15", "1")
QUANTITIES = (1, 2, 10, 100_000)
PARCELS = (None, "1Z999", "1z999")
AMOUNTS = (0, 1, 99, 9_900, 10_000, 2**53 + 1, 10**13)

Asked = Sequence[tuple[str, str]]
Document = Mapping[str, Any]


def an_order(number: int, chance: Random) -> OrderDetailsView:
    happened = [a_moment(chance) for _ in range(chance.randrange(1, 4))]
    return OrderDetailsView(
        order_id=number,
        version=len(happened),
        customer_id=chance.choice(["ALFKI", "alfki", "17", "Zoë"]),
        customer_name=chance.choice(["Alfreds", "Zoë & Söhne", "alfreds"]),
        customer_email=chance.choice([None, "a@example.com"]),
        status=chance.choice(STATUSES),
        currency="EUR",
        lines=tuple(a_line(number, chance) for number in (1, *some_numbers(chance))),
        gross=chance.choice(AMOUNTS),
        discount=Decimal(chance.choice(FRACTIONS)),
        freight=chance.choice(AMOUNTS),
        total=chance.choice(AMOUNTS),
        carriage=chance.choice([None, *AMOUNTS]),
        paid=chance.choice(AMOUNTS),
        refunded=0,
        due=chance.choice(AMOUNTS),
        credit=chance.choice(AMOUNTS),
        terms=chance.choice([None, 0, 14]),
        payments=tuple(a_payment(number, chance) for number in some_numbers(chance)),
        address=an_address(chance),
        required_date=chance.choice([None, date(2026, 1, 1), date(2026, 2, 28)]),
        put_off_until=chance.choice([None, date(2026, 2, 28)]),
        parcels=tuple(a_parcel(number, chance) for number in some_numbers(chance)),
        tracking_number=chance.choice(PARCELS),
        notes=tuple(a_note(number, chance) for number in some_numbers(chance)),
        created_at=happened[0],
        paid_at=chance.choice([None, a_moment(chance)]),
        shipped_at=None,
        delivered_at=chance.choice([None, a_moment(chance)]),
        returned_at=chance.choice([None, a_moment(chance)]),
        cancelled_at=None,
        history=tuple(
            happening(version, moment, chance)
            for version, moment in enumerate(happened, 1)
        ),
    )


def some_numbers(chance: Random) -> range:
    return range(2, 2 + chance.randrange(3))


def a_line(number: int, chance: Random) -> Line:
    return Line(
        number=number,
        product=chance.choice(PRODUCTS),
        product_id=chance.choice([None, "1", "2"]),
        quantity=chance.choice(QUANTITIES),
        shipped=chance.choice([0, *QUANTITIES]),
        returned=chance.choice([0, *QUANTITIES]),
        unit_price=chance.choice(AMOUNTS),
        discount=Decimal(chance.choice(FRACTIONS)),
        amount=chance.choice(AMOUNTS),
    )


def a_payment(number: int, chance: Random) -> Payment:
    return Payment(
        payment=number,
        amount=chance.choice(AMOUNTS),
        received_at=a_moment(chance),
        voided_at=chance.choice([None, a_moment(chance)]),
    )


def a_parcel(number: int, chance: Random) -> Parcel:
    return Parcel(
        parcel=number,
        tracking_number=chance.choice(PARCELS),
        shipped_at=a_moment(chance),
        lines=(LineQuantity(line=1, quantity=chance.choice(QUANTITIES)),),
    )


def a_note(version: int, chance: Random) -> NoteLine:
    return NoteLine(
        version=version,
        text=chance.choice(["Ring twice", "ring\ntwice", "*"]),
        actor=chance.choice([None, "alice"]),
        added_at=a_moment(chance),
    )


def happening(version: int, moment: datetime, chance: Random) -> HistoryLine:
    identity = UUID(int=chance.randrange(3))
    return HistoryLine(
        event=chance.choice(EVENTS),
        version=version,
        position=chance.randrange(5),
        occurred_at=moment,
        actor=chance.choice([None, "alice", "local"]),
        command_id=chance.choice([None, identity]),
        causation_id=identity,
        source=chance.choice([None, "northwind"]),
        told={"total": 5, "reason": None},
    )


def an_address(chance: Random) -> Address:
    return Address(
        name=chance.choice([None, "Alfreds"]),
        street="Obere Str. 57",
        city=chance.choice(CITIES),
        region=chance.choice([None, "BC"]),
        postal_code=chance.choice([None, "12209"]),
        country=chance.choice(["Germany", "Denmark"]),
    )


def a_customer(number: int, chance: Random) -> CustomerRow:
    return CustomerRow(
        customer_id=f"{chance.choice('aAÅz')}{number}",
        version=chance.randrange(1, 4),
        name=chance.choice(["Alfreds", "Zoë & Söhne"]),
        email=chance.choice([None, "a@example.com"]),
        contact_name=None,
        phone=chance.choice([None, "030-0074321"]),
        address=chance.choice([None, an_address(chance)]),
        registered_at=a_moment(chance),
        orders=chance.randrange(3),
        worth=chance.choice(AMOUNTS),
        currency=chance.choice([None, "EUR"]),
        last_order_at=chance.choice([None, a_moment(chance)]),
        is_forgotten=chance.random() < 0.2,
        words="",
    )


def a_moment(chance: Random) -> datetime:
    """Return one of few moments, some of them less than a millisecond apart."""
    parts = chance.choice([0, 1, 500_000, 999, 1_000])
    return BEGIN + timedelta(days=chance.randrange(3), microseconds=parts)


def a_filter(
    documents: Sequence[Document],
    operators: Mapping[str, Sequence[str]],
    chance: Random,
) -> list[tuple[str, str]]:
    """
    Return conditions by chance, as names and texts of an address.

    *operators* has those of each field by its name. Values are mostly those of one of
    the *documents*, so that most filters find something.
    """
    liked = chance.choice(documents)
    return [
        a_condition(liked, name, chance.choice(operators[name]), chance)
        for name in chance.choices(list(operators), k=chance.choice([1, 1, 2, 2, 3]))
    ] + (elements(liked, operators, chance) if chance.random() < 0.4 else [])


def elements(
    liked: Document, operators: Mapping[str, Sequence[str]], chance: Random
) -> list[tuple[str, str]]:
    """Return conditions on one element of an array that is not empty."""
    arrays = {name for name, held in liked.items() if held and isinstance(held, list)}
    names = [name for name in operators if name.split(".")[0] in arrays]
    if not names:
        return []
    top = chance.choice(names).split(".")[0]
    inside = [name for name in names if name.startswith(f"{top}.")]
    only = {**liked, top: [chance.choice(liked[top])]}
    found = []
    for name in chance.choices(inside, k=2):
        condition, text = a_condition(
            only, name, chance.choice(operators[name]), chance
        )
        found.append((condition.replace(f"{top}.", f"{top}:a.", 1), text))
    return found


def a_condition(
    liked: Document, name: str, operator: str, chance: Random
) -> tuple[str, str]:
    there = values_at(liked, name.split("."))
    value = as_text(chance.choice(there)) if there else other_value(name)
    if operator == "exists":
        value = chance.choice(["true", "false"])
    elif operator == "in":
        some = [value, *map(as_text, there[:2]), other_value(name)]
        value = ",".join(one.replace("\\", "\\\\").replace(",", "\\,") for one in some)
    elif operator in ("prefix", "contains"):
        begin = chance.randrange(len(value)) if operator == "contains" else 0
        value = value[begin : begin + chance.randrange(1, 5)]
    is_plain = operator == "eq" and chance.random() < 0.5
    return (name if is_plain else f"{name}.{operator}"), value


def other_value(name: str) -> str:
    """Return a value that few documents have."""
    last = name.split(".")[-1]
    if last.endswith("_at"):
        return "2026-01-02T12:00:00.0005Z"
    if last in ("command_id", "causation_id"):
        return str(UUID(int=77))
    return {
        "required_date": "2026-02-28",
        "put_off_until": "2026-02-28",
        "discount": "0.15",
        "is_forgotten": "true",
        "tracking_number": "1Z",
        "email": "b@example.com",
        "region": "WA",
    }.get(last, "1")


def as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def fulfils(document: Document, asked: Asked) -> bool:
    """Return whether a document, as the API answers it, fulfils all conditions."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, text in asked:
        top, _, rest = name.partition(".")
        if ":" in top:
            groups.setdefault(top, []).append((rest, text))
        elif not holds(document, name, text):
            return False
    return all(
        any(
            all(holds(element, name, text) for name, text in conditions)
            for element in document[top.partition(":")[0]]
        )
        for top, conditions in groups.items()
    )


def holds(document: Document, name: str, text: str) -> bool:
    path, _, operator = name.rpartition(".")
    if operator not in COMPARISONS:
        path, operator = name, "eq"
    values = [plain(path, value) for value in values_at(document, path.split("."))]
    if operator == "exists":
        return bool(values) is (text == "true")
    if operator == "ne":
        return plain(path, text) not in values
    if operator == "in":
        wanted = [plain(path, one) for one in unescaped(text)]
        return any(value in wanted for value in values)
    return any(COMPARISONS[operator](value, plain(path, text)) for value in values)


COMPARISONS: dict[str, Any] = {
    "eq": lambda a, b: a == b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "prefix": lambda a, b: a.startswith(b),
    "contains": lambda a, b: b in a,
    "ne": None,
    "in": None,
    "exists": None,
}


def values_at(value: Any, path: Sequence[str]) -> list[Any]:
    """Return all values at *path*; null is none."""
    if isinstance(value, list):
        return [found for one in value for found in values_at(one, path)]
    if value is None or not path:
        return [] if value is None else [value]
    return values_at(value[path[0]], path[1:])


def plain(path: str, value: Any) -> Any:
    """Return a value of a document, or the text of one, as what Python compares."""
    last = path.split(".")[-1]
    if last.endswith("_at"):
        return datetime.fromisoformat(value)
    if last == "discount":
        return Decimal(value)
    if last in ("required_date", "put_off_until"):
        return date.fromisoformat(value)
    if last == "is_forgotten":
        return as_text(value)
    return int(value) if last in NUMBERS else value


NUMBERS = {
    *("order_id", "version", "gross", "total", "freight", "carriage", "paid"),
    *("refunded", "due", "credit", "terms", "number", "quantity", "shipped"),
    *("returned", "unit_price", "amount", "payment", "parcel", "position"),
    *("orders", "cancelled", "worth"),
}


def unescaped(text: str) -> list[str]:
    """Return the values of an `in`; no text of ours has these two characters."""
    kept = text.replace("\\\\", "\x01").replace("\\,", "\x02").split(",")
    return [one.replace("\x01", "\\").replace("\x02", ",") for one in kept]
