"""
What is asked back before a command is accepted: it may be meant, and is unlikely.

It is found in the read models, so it may be a moment old. No rule rests on it: those
are the domain's.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa

from domain.customers.commands import ForgetCustomer, PlaceFirstOrder
from domain.errors import Fault
from domain.money import Money
from domain.orders.commands import ChangedItem, ChangeItems, Item, PlaceOrder
from eventstore.access.senders import PROCESS
from eventstore.journal import entries
from readmodels import accounts, order_list, products
from readmodels.products import ProductView
from tasks.shop.counts import count_in_words
from tasks.shop.wiring import Shop
from webapp.same_customers import who_it_may_be

MAX_NAMED = 5
"""So many orders are named; of more, how many they are."""


def find_doubts(shop: Shop, command: Any) -> list[Fault]:
    """Return what is doubtful about *command*; nothing if no read model can tell."""
    find = DOUBTS.get(type(command))
    if find is None:
        return []
    try:
        return find(shop, command)
    except sa.exc.ProgrammingError as error:
        if isinstance(error.orig, psycopg.errors.UndefinedTable):
            # It was dropped: who waits for it to be rebuilt could not sell meanwhile.
            return []
        raise


def doubts_of_first_order(shop: Shop, command: PlaceFirstOrder) -> list[Fault]:
    """Return who the new customer may be, and the prices that are far off."""
    return [*who_it_may_be(shop, command), *doubtful_prices(shop, command)]


def doubtful_prices(
    shop: Shop, command: PlaceOrder | PlaceFirstOrder | ChangeItems
) -> list[Fault]:
    """Return the prices that are far from those of the price list."""
    tolerance = shop.settings.price_tolerance
    items: Sequence[Item | ChangedItem] = command.items
    asked = [
        (place, item.product_id, item.unit_price)
        for place, item in enumerate(items)
        if item.product_id and item.unit_price is not None
    ]
    if tolerance is None or not asked:
        return []
    with shop.engine.connect() as connection:
        listed = products.find_by_number(connection, [name for _, name, _ in asked])
    return [
        Fault(
            f"items.{place}.unit_price",
            f"is far from the list's price, {price_of(product)}",
            doubtful=True,
        )
        for place, name, price in asked
        if (product := listed.get(name))
        and abs(price - product.unit_price) * 100 > tolerance * product.unit_price
    ]


def price_of(product: ProductView) -> Money:
    return Money(product.unit_price, product.currency)


def open_business(shop: Shop, command: ForgetCustomer) -> list[Fault]:
    """Return what is open with a customer who is to be forgotten."""
    customer_id = command.customer_id
    with shop.engine.connect() as connection:
        numbers = order_list.numbers_under_way(connection, customer_id)
        found = [
            *orders_under_way(numbers),
            *money_in_account(connection, customer_id),
            *scheduled_commands(connection, customer_id, numbers),
        ]
    if not found:
        return []
    return [Fault("customer_id", f"has {'; '.join(found)}", doubtful=True)]


def orders_under_way(numbers: Sequence[int]) -> Sequence[str]:
    if not numbers:
        return []
    named = ", ".join(map(str, numbers[:MAX_NAMED]))
    more = f" and {len(numbers) - MAX_NAMED:,} more" if numbers[MAX_NAMED:] else ""
    return [f"{count_in_words(len(numbers), 'order')} under way: {named}{more}"]


def money_in_account(connection: sa.Connection, customer_id: str) -> Sequence[str]:
    account = accounts.find_one(connection, customer_id)
    if account is None or not account.balance:
        return []
    return [f"{Money(account.balance, account.currency)} in the account"]


def scheduled_commands(
    connection: sa.Connection, customer_id: str, orders: Sequence[int]
) -> Sequence[str]:
    """Return what people have scheduled; what follows events by itself is not."""
    streams = [f"customer-{customer_id}", f"account-{customer_id}"]
    streams += [f"order-{number}" for number in orders]
    found = [
        entry
        for entry in entries.find_scheduled(connection, streams)
        if not entry.principal.startswith(PROCESS)
    ]
    return [f"{count_in_words(len(found), 'scheduled command')}"] if found else []


Find = Callable[[Shop, Any], list[Fault]]

DOUBTS: Mapping[type, Find] = {
    PlaceOrder: doubtful_prices,
    PlaceFirstOrder: doubts_of_first_order,
    ChangeItems: doubtful_prices,
    ForgetCustomer: open_business,
}
"""By command, a function that finds what is doubtful about it."""
