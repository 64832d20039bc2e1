"""The order as its events leave it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import assert_never

from domain.money import Money
from domain.orders import events
from domain.orders.events import OrderEvent
from domain.orders.lines import Line, LineQuantity, LineState, by_line
from domain.orders.standing import Standing, standing_after
from domain.orders.status import Status

NO_STANDING = Standing()


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment that was noted; one that *is_void* does not count."""

    amount: int
    is_void: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """
    An order, as its events so far leave it.

    Payments and parcels are counted from 1. *last_line* is the highest number that a
    line ever had.
    """

    standing: Standing = NO_STANDING
    customer_id: str = ""
    currency: str = ""
    lines: tuple[LineState, ...] = ()
    last_line: int = 0
    discount: Decimal = Decimal(0)
    freight: int = 0
    terms: int | None = None
    payments: tuple[Payment, ...] = ()
    # Their tracking numbers; an imported one may have none.
    parcels: tuple[str | None, ...] = ()
    put_off_until: date | None = None
    # By the log: what was decided in the same moment has no time yet.
    placed_at: datetime | None = None
    shipped_at: datetime | None = None

    @property
    def status(self) -> Status:
        return self.standing.status

    @property
    def tracking(self) -> str:
        """The tracking number of the last parcel, or "none"."""
        return (self.parcels[-1] if self.parcels else None) or "none"

    def money(self, amount: int) -> Money:
        """Return *amount* minor units in the order's currency."""
        return Money(amount, self.currency)


def evolve(order: Order, event: OrderEvent) -> Order:
    """Return the order after *event*; no rules are checked."""
    order = replace(order, standing=standing_after(order.standing, event))
    match event:
        case events.OrderCreated():
            return replace(
                with_lines(order, event.items),
                customer_id=event.customer_id,
                currency=event.currency,
                discount=event.discount,
                freight=event.freight,
                terms=event.terms,
            )
        case events.OrderItemsChanged():
            return replace(
                with_lines(order, event.items),
                discount=event.discount,
                freight=event.freight,
            )
        case events.PaymentReceived(amount=amount):
            return replace(order, payments=(*order.payments, Payment(amount)))
        case events.PaymentVoided(payment=payment):
            return replace(order, payments=without(order.payments, payment))
        case events.ParcelShipped(tracking_no=tracking_no, lines=lines):
            return replace(
                order,
                lines=with_shipped(order.lines, lines),
                parcels=(*order.parcels, tracking_no),
            )
        case events.OrderShipped(tracking_no=tracking_no):
            return replace(
                order,
                lines=tuple(replace(s, shipped=s.line.quantity) for s in order.lines),
                parcels=(*order.parcels, tracking_no),
            )
        case events.TrackingCorrected(parcel=parcel, tracking_no=tracking_no):
            return replace(
                order,
                parcels=tuple(
                    tracking_no if place == parcel else before
                    for place, before in enumerate(order.parcels, 1)
                ),
            )
        case events.OrderReturned(lines=lines, freight=freight):
            returned = with_returned(order.lines, lines)
            return replace(order, lines=returned, freight=freight)
        case events.CancellationPutOff(until=until):
            return replace(order, put_off_until=until)
        case (
            events.DeliveryConfirmed()
            | events.OrderCancelled()
            | events.PaymentRefunded()
            | events.ShippingAddressChanged()
            | events.NoteAdded()
        ):
            return order
        case _:
            assert_never(event)


def with_lines(order: Order, items: Iterable[Line]) -> Order:
    """Return the order with other lines; what was moved of them stays moved."""
    before = {state.line.number: state for state in order.lines}
    lines = tuple(
        replace(before.get(line.number, LineState(line)), line=line) for line in items
    )
    last = max((state.line.number for state in lines), default=0)
    return replace(order, lines=lines, last_line=max(order.last_line, last))


def with_shipped(
    lines: tuple[LineState, ...], moved: Iterable[LineQuantity]
) -> tuple[LineState, ...]:
    more: Mapping[int, int] = by_line(moved)
    return tuple(
        replace(s, shipped=s.shipped + more.get(s.line.number, 0)) for s in lines
    )


def with_returned(
    lines: tuple[LineState, ...], moved: Iterable[LineQuantity]
) -> tuple[LineState, ...]:
    more: Mapping[int, int] = by_line(moved)
    return tuple(
        replace(s, returned=s.returned + more.get(s.line.number, 0)) for s in lines
    )


def without(payments: tuple[Payment, ...], number: int) -> tuple[Payment, ...]:
    """Return the payments with the one of this number void."""
    return tuple(
        replace(payment, is_void=True) if place == number else payment
        for place, payment in enumerate(payments, 1)
    )


def note_time(order: Order, event: OrderEvent, occurred_at: datetime) -> Order:
    """Return the order with the time of *event*, if a rule needs it."""
    match event:
        case events.OrderCreated():
            return replace(order, placed_at=occurred_at)
        case events.ParcelShipped() | events.OrderShipped():
            # A change of the lines may make any parcel the last one.
            return replace(order, shipped_at=occurred_at)
        case _:
            return order
