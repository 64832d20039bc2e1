"""What an order may refuse: every rule, with the sentence that people read."""

from domain.errors import Rejection, StateRejection


class EmptyOrder(Rejection):
    """An order has at least one line; this one has {lines}."""


class OrderTooDear(Rejection):
    """An order costs at most {highest}; this one costs {total}."""


class UnknownOrder(StateRejection):
    """There is no order {order_id}."""


class WrongCustomer(Rejection):
    """Order {order_id} is not one of customer {customer_id}."""


class OrderAlreadyPlaced(StateRejection):
    """This order was placed already; it is {status}."""


class UnknownLine(Rejection):
    """This order has no line {line}."""


class LineNamedTwice(Rejection):
    """Line {line} is named twice."""


class QuantityTooHigh(Rejection):
    """Of line {line}, {product}, {left} are left; {asked} is more."""


class LineAlreadyShipped(Rejection):
    """Of line {line}, {product}, {shipped} are shipped: no fewer can be ordered."""


class OrderAlreadyPaid(StateRejection):
    """Nothing is due for this order: {paid} was received for the {total} it costs."""


class PaymentTooHigh(Rejection):
    """Of the {total} that this order costs, {due} is not paid; {received} is more."""


class UnknownPayment(Rejection):
    """Order {order_id} has no payment {payment}."""


class PaymentAlreadyVoided(StateRejection):
    """Payment {payment} was taken back already."""


class PaymentAlreadyRefunded(StateRejection):
    """{refunded} was refunded: without this payment it would be more than came in."""


class NothingToRefund(StateRejection):
    """Nothing can be refunded for order {order_id}: no more is paid than it costs."""


class RefundTooHigh(Rejection):
    """Of {paid} that was paid, {left} can be refunded; {asked} is more."""


class OrderNotPaid(StateRejection):
    """This order is shipped when it is paid; {due} is due for it."""


class OrderAlreadyShipped(StateRejection):
    """This order is shipped already; tracking number: {tracking_no}."""


class ParcelAlreadyShipped(StateRejection):
    """A part of this order is shipped already; tracking number: {tracking_no}."""


class UnknownParcel(Rejection):
    """Order {order_id} has no parcel {parcel}."""


class OrderNotShipped(StateRejection):
    """Only a shipped order can arrive; this one is {status}."""


class DeliveredTooEarly(Rejection):
    """It cannot have arrived on {arrived}: this order was {status} on {day}."""


class OrderAlreadyDelivered(StateRejection):
    """Order {order_id} has arrived already."""


class NothingToReturn(StateRejection):
    """Nothing of order {order_id} is with the customer; it is {status}."""


class OrderAlreadyCancelled(StateRejection):
    """Order {order_id} is cancelled."""


class NothingToPutOff(StateRejection):
    """Order {order_id} is {status}: it is not cancelled for being unpaid."""
