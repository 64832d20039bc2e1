"""The money of an order: payments, refunds, and what becomes of unpaid orders."""

from domain.orders import commands, events, rules
from domain.orders.events import OrderEvent
from domain.orders.state import Order
from domain.orders.status import Status


def receive_payment(order: Order, command: commands.ReceivePayment) -> list[OrderEvent]:
    """
    Return the payment; of a cancelled order, too: it came, and can be refunded.

    Raises OrderAlreadyPaid or PaymentTooHigh for more than the order costs.
    """
    standing = order.standing
    owed = max(0, standing.owed)
    if not owed:
        raise rules.OrderAlreadyPaid(
            paid=order.money(standing.paid - standing.refunded),
            total=order.money(standing.total),
        )
    if command.amount > owed:
        raise rules.PaymentTooHigh(
            total=order.money(standing.total),
            due=order.money(owed),
            received=order.money(command.amount),
        )
    number = len(order.payments) + 1
    return [events.PaymentReceived(payment=number, amount=command.amount)]


def void_payment(order: Order, command: commands.VoidPayment) -> list[OrderEvent]:
    if command.payment > len(order.payments):
        raise rules.UnknownPayment(order_id=command.order_id, payment=command.payment)
    payment = order.payments[command.payment - 1]
    if payment.is_void:
        raise rules.PaymentAlreadyVoided(payment=command.payment)
    if order.standing.paid - payment.amount < order.standing.refunded:
        raise rules.PaymentAlreadyRefunded(
            refunded=order.money(order.standing.refunded)
        )
    return [events.PaymentVoided(payment=command.payment, amount=payment.amount)]


def refund(order: Order, command: commands.RefundPayment) -> list[OrderEvent]:
    credit = order.standing.credit
    if not credit:
        raise rules.NothingToRefund(order_id=command.order_id)
    if command.amount > credit:
        raise rules.RefundTooHigh(
            paid=order.money(order.standing.paid),
            left=order.money(credit),
            asked=order.money(command.amount),
        )
    return [
        events.PaymentRefunded(
            amount=command.amount,
            currency=order.currency,
            customer_id=order.customer_id,
        )
    ]


def cancel(order: Order, command: commands.CancelOrder) -> list[OrderEvent]:
    if order.status is Status.CANCELLED:
        return []
    if not order.status.is_open:
        raise rules.OrderAlreadyShipped(tracking_no=order.tracking)
    if order.parcels:
        raise rules.ParcelAlreadyShipped(tracking_no=order.tracking)
    return [events.OrderCancelled(reason=command.reason)]


def cancel_unpaid(
    order: Order, command: commands.CancelUnpaidOrder
) -> list[OrderEvent]:
    """Return a cancellation, or nothing if it was put off, paid or shipped."""
    if not is_left_unpaid(order) or command.until != order.put_off_until:
        return []
    if command.until is None:
        days = command.days + (order.terms or 0)
        reason = f"It was not paid within {days} days."
    else:
        reason = f"It was not paid until {command.until}."
    return [events.OrderCancelled(reason=reason)]


def is_left_unpaid(order: Order) -> bool:
    """Return whether nothing was paid or shipped of an order that costs something."""
    is_pending = order.status is Status.PENDING
    return is_pending and not order.standing.paid and not order.parcels


def put_off(order: Order, command: commands.PutOffCancellation) -> list[OrderEvent]:
    if not is_left_unpaid(order):
        raise rules.NothingToPutOff(order_id=command.order_id, status=order.status)
    if command.until == order.put_off_until:
        return []
    return [events.CancellationPutOff(until=command.until)]
