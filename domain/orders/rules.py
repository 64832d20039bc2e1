"""What an order may refuse: every rule, with the sentence that people read."""

from domain.errors import Rejection, StateRejection


class EmptyOrder(Rejection):
    """An order has at least one line; this one has {lines}."""


class OrderTooDear(Rejection):
    """An order is worth at most {highest}; this one is worth {total}."""


class UnknownOrder(StateRejection):
    """There is no order {order_id}."""


class OrderAlreadyPlaced(StateRejection):
    """This order was placed already; it is {status}."""


class OrderAlreadyPaid(StateRejection):
    """This order is paid already: {paid} was received."""


class WrongAmount(Rejection):
    """This order is worth {due}, and {received} is not that."""


class OrderNotCancelled(StateRejection):
    """A payment is refunded when its order is cancelled; this one is {status}."""


class NothingToRefund(StateRejection):
    """Nothing was paid for order {order_id}."""


class RefundTooHigh(Rejection):
    """Of {paid} that were paid, {left} are left to refund; {asked} is more."""


class OrderNotPaid(StateRejection):
    """An order is shipped when it is paid; {due} is due for this one."""


class OrderAlreadyShipped(StateRejection):
    """This order is shipped already; tracking number: {tracking_no}."""


class OrderNotShipped(StateRejection):
    """Only a shipped order can arrive; this one is {status}."""


class DeliveredTooEarly(Rejection):
    """It cannot have arrived on {arrived}: this order was {status} on {day}."""


class OrderAlreadyDelivered(StateRejection):
    """Order {order_id} has arrived already."""


class OrderAlreadyCancelled(StateRejection):
    """Order {order_id} is cancelled."""
