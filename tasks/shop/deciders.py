"""The deciders of the shop: the commands, events and rules of each category."""

from typing import get_args

from domain.accounts import account
from domain.accounts.commands import AccountCommand, AccountStep
from domain.accounts.events import AccountEvent
from domain.customers import customer, deciding
from domain.customers.commands import CustomerCommand
from domain.customers.events import CustomerEvent, CustomerForgotten
from domain.errors import InvalidInput, Rejection
from domain.input import parse
from domain.orders import order, state
from domain.orders.commands import CancelUnpaidOrder, OrderCommand
from domain.orders.events import OrderEvent
from domain.orders.upcasters import UPCASTERS as UPCASTERS_OF_ORDERS
from domain.products import product
from domain.products.commands import ProductCommand
from domain.products.events import ProductEvent
from domain.transfers import process, transfer
from domain.transfers.commands import TransferCommand, TransferEnd
from domain.transfers.events import TransferEvent
from eventstore.aggregates.decider import Decider
from eventstore.log.codec import EventCodec

CUSTOMERS = Decider(
    category="customer",
    initial=customer.Customer(),
    decide=deciding.decide,
    evolve=customer.evolve,
    events=EventCodec(get_args(CustomerEvent)),
    commands=get_args(CustomerCommand),
    rejection=Rejection,
    invalid=InvalidInput,
    read_command=parse,
    identity="customer_id",
    numbers="customer_numbers",
    reads=deciding.reads,
    forgets=[CustomerForgotten],
    claims=customer.claims,
    former_claims=customer.former_claims,
)
ORDERS = Decider(
    category="order",
    initial=state.Order(),
    decide=order.decide,
    evolve=state.evolve,
    note_time=state.note_time,
    events=EventCodec(get_args(OrderEvent), UPCASTERS_OF_ORDERS),
    commands=get_args(OrderCommand),
    internal=[CancelUnpaidOrder],
    rejection=Rejection,
    invalid=InvalidInput,
    read_command=parse,
    identity="order_id",
    numbers="order_numbers",
    reads=order.reads,
    subject=order.customer_of,
)
ACCOUNTS = Decider(
    category="account",
    initial=account.Account(),
    decide=account.decide,
    evolve=account.evolve,
    events=EventCodec(get_args(AccountEvent)),
    commands=get_args(AccountCommand),
    internal=get_args(AccountStep),
    abandoned=process.abandoned,
    rejection=Rejection,
    invalid=InvalidInput,
    read_command=parse,
    identity="account_id",
)
TRANSFERS = Decider(
    category="transfer",
    initial=transfer.Transfer(),
    decide=transfer.decide,
    evolve=transfer.evolve,
    events=EventCodec(get_args(TransferEvent)),
    commands=get_args(TransferCommand),
    internal=get_args(TransferEnd),
    abandoned=process.abandoned,
    rejection=Rejection,
    invalid=InvalidInput,
    read_command=parse,
    identity="transfer_id",
    numbers="transfer_numbers",
)
PRODUCTS = Decider(
    category="product",
    initial=product.Product(),
    decide=product.decide,
    evolve=product.evolve,
    events=EventCodec(get_args(ProductEvent)),
    commands=get_args(ProductCommand),
    rejection=Rejection,
    invalid=InvalidInput,
    read_command=parse,
    identity="product_id",
    numbers="product_numbers",
)

ALL = (CUSTOMERS, PRODUCTS, ORDERS, ACCOUNTS, TRANSFERS)
