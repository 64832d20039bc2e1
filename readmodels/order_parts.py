"""The parts of an order's row: lines, payments, parcels, notes, and its history."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from domain.money import line_amounts
from domain.orders import events, lines
from domain.orders.lines import LineQuantity, by_line
from eventstore.projections.projection import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """
    A line of an order; *amount* is its worth after its discount, in minor units.

    Pieces that came back are not in it. The amounts of all lines add up: only their sum
    is rounded. *shipped* and *returned* are numbers of pieces.
    """

    number: int
    product: str
    product_id: str | None
    quantity: int
    shipped: int
    returned: int
    unit_price: int
    discount: Decimal
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A payment, counted from 1; *voided_at* tells when it was taken back."""

    payment: int
    amount: int
    received_at: datetime
    voided_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A parcel, counted from 1, and the pieces in it."""

    parcel: int
    tracking_number: str | None
    shipped_at: datetime
    lines: tuple[LineQuantity, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteLine:
    """A note of a colleague, and the version of the event that has it."""

    version: int
    text: str
    actor: str | None
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """
    One event of the order: type, time, actor and cause.

    *told* has the fields of the event by name. The cause is a command or, for imported
    events, the history that *source* names.
    """

    event: str
    version: int
    position: int
    occurred_at: datetime
    actor: str | None
    command_id: UUID | None
    causation_id: UUID
    source: str | None
    told: Mapping[str, str | int | None]


def gross_of(items: Iterable[lines.Line]) -> int:
    return sum(line.unit_price * line.quantity for line in items)


def lines_of(
    items: Iterable[lines.Line], before: Sequence[Line] = ()
) -> tuple[Line, ...]:
    """Return the lines of an order; what was moved of those *before* stays moved."""
    known = {line.number: line for line in before}
    return with_amounts(
        Line(
            number=item.number,
            product=item.product,
            product_id=item.product_id,
            quantity=item.quantity,
            shipped=known[item.number].shipped if item.number in known else 0,
            returned=known[item.number].returned if item.number in known else 0,
            unit_price=item.unit_price,
            discount=item.discount,
            amount=0,
        )
        for item in items
    )


def with_amounts(changed: Iterable[Line]) -> tuple[Line, ...]:
    found = tuple(changed)
    amounts = line_amounts(
        (line.unit_price, line.quantity - line.returned, line.discount)
        for line in found
    )
    return tuple(
        replace(line, amount=amount)
        for line, amount in zip(found, amounts, strict=True)
    )


def without(
    payments: Sequence[Payment], number: int, moment: datetime
) -> tuple[Payment, ...]:
    """Return the payments with the one of this number voided."""
    return tuple(
        replace(payment, voided_at=moment) if payment.payment == number else payment
        for payment in payments
    )


def last_paid(payments: Sequence[Payment]) -> datetime | None:
    """Return when the last payment that counts was noted; None if none does."""
    times = [one.received_at for one in payments if one.voided_at is None]
    return times[-1] if times else None


def ship(
    lines: Sequence[Line],
    number: int,
    event: events.ParcelShipped | events.OrderShipped,
    moment: datetime,
) -> tuple[tuple[Line, ...], Parcel]:
    """Return the lines after a parcel, and it; the last one has all the rest."""
    if isinstance(event, events.ParcelShipped):
        moved = event.lines
    else:
        moved = tuple(
            LineQuantity(line=line.number, quantity=line.quantity - line.shipped)
            for line in lines
            if line.quantity > line.shipped
        )
    parcel = Parcel(
        parcel=number,
        tracking_number=event.tracking_no,
        shipped_at=moment,
        lines=moved,
    )
    more = by_line(moved)
    shipped = (
        replace(line, shipped=line.shipped + more.get(line.number, 0)) for line in lines
    )
    return tuple(shipped), parcel


def correct(
    parcels: Iterable[Parcel], event: events.TrackingCorrected
) -> tuple[Parcel, ...]:
    """Return the parcels with another tracking number of one, if it is there."""
    return tuple(
        replace(parcel, tracking_number=event.tracking_no)
        if parcel.parcel == event.parcel
        else parcel
        for parcel in parcels
    )


def happening(fact: Fact) -> HistoryLine:
    metadata = fact.metadata
    return HistoryLine(
        event=type(fact.event).__name__,
        version=fact.version,
        position=fact.position,
        occurred_at=fact.occurred_at,
        actor=metadata.actor,
        command_id=metadata.command_id,
        causation_id=metadata.causation_id,
        source=metadata.source,
        told=describe_event(fact.event),
    )


def describe_event(event: events.OrderEvent) -> Mapping[str, str | int | None]:
    """
    Return the fields of an event that its line tells.

    Of lines that is their number, and of pieces. An address and a note are personal,
    and have columns of their own.
    """
    match event:
        case (
            events.OrderCreated(total=total, items=items)
            | events.OrderItemsChanged(total=total, items=items)
        ):
            return {"total": total, "lines": len(items)}
        case events.ParcelShipped(tracking_no=number, lines=moved):
            return {"tracking_no": number, "pieces": pieces_of(moved)}
        case events.OrderReturned(total=total, lines=moved):
            return {"total": total, "pieces": pieces_of(moved)}
        case events.DeliveryConfirmed(delivered_at=delivered_at):
            return {"delivered_at": delivered_at.isoformat()}
        case events.CancellationPutOff(until=until):
            return {"until": until.isoformat()}
        case events.ShippingAddressChanged() | events.NoteAdded():
            return {}
        case _:
            return asdict(event)


def pieces_of(moved: Iterable[LineQuantity]) -> int:
    return sum(one.quantity for one in moved)
