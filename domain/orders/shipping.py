"""Parcels: shipping an order or some lines, its delivery, and what comes back."""

from datetime import date, datetime

from domain.orders import commands, events, rules
from domain.orders.events import OrderEvent
from domain.orders.lines import by_line, check_quantities, kept_total, quantities_of
from domain.orders.placing import check_unshipped
from domain.orders.state import Order, with_returned
from domain.orders.status import Status


def ship(order: Order, command: commands.ShipOrder) -> list[OrderEvent]:
    check_shippable(order, command.order_id)
    return [events.OrderShipped(tracking_no=command.tracking_no)]


def check_shippable(order: Order, order_id: int) -> None:
    """Raise the rule that keeps an order from being shipped."""
    check_unshipped(order, order_id)
    if order.terms is None and order.standing.due:
        raise rules.OrderNotPaid(due=order.money(order.standing.due))


def ship_parcel(order: Order, command: commands.ShipParcel) -> list[OrderEvent]:
    """Return the parcel; with it, the order is shipped if nothing is left of it."""
    check_shippable(order, command.order_id)
    asked = by_line(command.lines)
    left = {state.line.number: state.to_ship for state in order.lines}
    check_quantities(order.lines, asked, left)
    if asked == {number: quantity for number, quantity in left.items() if quantity}:
        return [events.OrderShipped(tracking_no=command.tracking_no)]
    return [
        events.ParcelShipped(
            tracking_no=command.tracking_no, lines=quantities_of(asked)
        )
    ]


def correct_tracking(
    order: Order, command: commands.CorrectTracking
) -> list[OrderEvent]:
    if order.status in (Status.DELIVERED, Status.RETURNED):
        raise rules.OrderAlreadyDelivered(order_id=command.order_id)
    if command.parcel > len(order.parcels):
        raise rules.UnknownParcel(order_id=command.order_id, parcel=command.parcel)
    if order.parcels[command.parcel - 1] == command.tracking_no:
        return []
    return [
        events.TrackingCorrected(parcel=command.parcel, tracking_no=command.tracking_no)
    ]


def confirm_delivery(
    order: Order, command: commands.ConfirmDelivery
) -> list[OrderEvent]:
    match order.status:
        case Status.SHIPPED:
            check_arrival(order, command.delivered_at)
            return [events.DeliveryConfirmed(delivered_at=command.delivered_at)]
        case Status.DELIVERED:
            raise rules.OrderAlreadyDelivered(order_id=command.order_id)
        case _:
            raise rules.OrderNotShipped(status=order.status)


def check_arrival(order: Order, delivered_at: datetime) -> None:
    """Raise DeliveredTooEarly for a day before it was placed or shipped."""
    arrived = delivered_at.date()
    for status, moment in (("placed", order.placed_at), ("shipped", order.shipped_at)):
        # By days as clocks show them where it arrived: people note it later, and round.
        day = arrived if moment is None else local_day(moment, delivered_at)
        if arrived < day:
            raise rules.DeliveredTooEarly(
                arrived=str(arrived), status=status, day=str(day)
            )


def local_day(moment: datetime, there: datetime) -> date:
    """Return the day of *moment* in the time zone of *there*."""
    return moment.astimezone(there.tzinfo).date()


def return_lines(order: Order, command: commands.ReturnOrder) -> list[OrderEvent]:
    """
    Return the return of some lines, or of all that is with the customer.

    Raises NothingToReturn, UnknownLine or QuantityTooHigh.
    """
    left = {state.line.number: state.to_return for state in order.lines}
    if not any(left.values()):
        raise rules.NothingToReturn(order_id=command.order_id, status=order.status)
    asked = left if command.lines is None else by_line(command.lines)
    check_quantities(order.lines, asked, left)
    lines = quantities_of(asked)
    states = with_returned(order.lines, lines)
    freight = 0 if command.with_freight else order.freight
    return [
        events.OrderReturned(
            lines=lines,
            freight=freight,
            total=kept_total(states, order.discount) + freight,
            is_all=all(state.is_returned for state in states),
        )
    ]
