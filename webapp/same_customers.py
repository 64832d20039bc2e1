"""Who a new customer may be of those that are registered: it is asked back."""

from collections.abc import Callable, Sequence

import sqlalchemy as sa
from flask import has_request_context

from domain.customers.commands import PlaceFirstOrder
from domain.email_address import same_address
from domain.errors import Fault
from readmodels import customers
from readmodels.customers import CustomerView
from readmodels.words import words
from tasks.shop.wiring import Shop
from webapp.authorization import caller

MAX_LOOKED_AT = 20
"""So many of the customers that are found by the same words are compared."""


def who_it_may_be(shop: Shop, command: PlaceFirstOrder) -> list[Fault]:
    """
    Return a doubt for each field that is a registered customer's, too.

    That is the e-mail address, which one customer alone can have, and the name, if it
    is of somebody in the same city.
    """
    email, address = command.email, command.address

    def has_email(one: CustomerView) -> bool:
        return same_address(one.email or "") == same_address(email or "")

    def is_namesake(one: CustomerView) -> bool:
        city = "" if one.address is None else one.address.city
        name = words(command.name)
        # One of signs alone has no words, as any other such name.
        return bool(name) and (words(one.name), words(city)) == (
            name,
            words(address.city),
        )

    place = f"{command.name} {address.city}"
    with shop.engine.connect() as connection:
        faults = {
            "email": find_same(connection, "email", email, email, has_email)
            if email
            else [],
            "name": find_same(connection, "name", command.name, place, is_namesake),
        }
    return [
        Fault(field, f"is also that of {in_words(found)}", doubtful=True)
        for field, found in faults.items()
        if found
    ]


def find_same(
    connection: sa.Connection,
    field: str,
    text: str,
    search: str,
    is_same: Callable[[CustomerView], bool],
) -> Sequence[CustomerView]:
    """
    Return the customers that *search* finds and who are the same.

    Those whose *field* is the *text* itself are found however many are like it.
    """
    written = customers.find_written(
        connection, field, text, search=search, limit=MAX_LOOKED_AT
    )
    like = customers.find(connection, search=search, limit=MAX_LOOKED_AT).rows
    found = {one.customer_id: one for one in (*written, *like) if is_same(one)}
    return list(found.values())


def in_words(found: Sequence[CustomerView]) -> str:
    """Return who they are; not to a caller who may not see customers."""
    # Without a request it is asked on the shop's own computer.
    if has_request_context() and "customers.read" not in caller().permissions:
        return "a customer"
    return " and ".join(f"customer {one.customer_id}, {one.name}" for one in found)
