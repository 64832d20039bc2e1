"""What an order may refuse: every rule, with the sentence that people read."""

from domain.errors import Rejection


class EmptyOrder(Rejection):
    """An order has at least one line; this one has {lines}."""


class OrderTooDear(Rejection):
    """An order is worth at most {highest}; this one is worth {total}."""


class UnknownOrder(Rejection):
    """There is no order {order_id}."""


class OrderAlreadyPlaced(Rejection):
    """This order was placed already; it is {status}."""


class OrderAlreadyPaid(Rejection):
    """This order is paid already: {paid} was received."""


class WrongAmount(Rejection):
    """This order is worth {due}, and {received} is not that."""


class OrderNotCancelled(Rejection):
    """A payment is refunded when its order is cancelled; this one is {status}."""


class NothingToRefund(Rejection):
    """Nothing was paid for order {order_id}."""


class RefundTooHigh(Rejection):
    """Of {paid} that were paid, {left} are left to refund; {asked} is more."""


class OrderNotPaid(Rejection):
    """An order is shipped when it is paid; {due} is due for this one."""


class OrderAlreadyShipped(Rejection):
    """This order is shipped already; tracking number: {tracking_no}."""


class OrderNotShipped(Rejection):
    """Only a shipped order can arrive; this one is {status}."""


class DeliveredTooEarly(Rejection):
    """It cannot have arrived on {arrived}: this order was {status} on {day}."""


class OrderAlreadyDelivered(Rejection):
    """Order {order_id} has arrived already."""


class OrderAlreadyCancelled(Rejection):
    """Order {order_id} is cancelled."""
