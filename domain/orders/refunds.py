"""The process manager of refunds: the money goes to the customer's account."""

from collections.abc import Sequence

from domain.accounts.commands import DepositRefund
from domain.orders.events import PaymentRefunded

EVENTS = (PaymentRefunded,)


def react(stream_id: str, event: object) -> Sequence[DepositRefund]:
    """Return the command that pays a refund to the customer's account."""
    match event:
        case PaymentRefunded():
            return [
                DepositRefund(
                    account_id=event.customer_id,
                    order_id=int(stream_id.partition("-")[2]),
                    amount=event.amount,
                    currency=event.currency,
                )
            ]
        case _:
            return []
