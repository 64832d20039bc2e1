"""The choices of a form, and the fields that it fills in for a choice."""

from collections.abc import Sequence
from dataclasses import dataclass

from readmodels import customers, products
from readmodels.customers import CustomerView
from readmodels.products import ProductView
from readmodels.words import words
from webapp.current_shop import the_notation
from webapp.formats import write
from webapp.forms.definitions import ADDRESS
from webapp.forms.form import Form
from webapp.forms.values import FormValues
from webapp.outages import DATABASE_ERRORS, problem_of
from webapp.read_connection import reading

MAX_OFFERED = 200


@dataclass(frozen=True, slots=True)
class Offer:
    """The choices, and the customer whose number was typed."""

    products: Sequence[ProductView] = ()
    customers: Sequence[CustomerView] = ()
    customer: CustomerView | None = None


NOTHING = Offer()


def offer_for(form: Form, typed: FormValues) -> Offer:
    """Return the choices of *form*; without them, values can still be typed."""
    if not form.line_fields:
        return NOTHING
    number = without_nul(typed.fields["customer_id"])
    try:
        with reading(customers.projection, products.projection) as (connection, _):
            most = customers.find(connection, sort="-orders", limit=MAX_OFFERED)
            return Offer(
                products.find_most_ordered(connection, limit=MAX_OFFERED),
                sorted(most.rows, key=name_words),
                customers.find_one(connection, number),
            )
    except DATABASE_ERRORS as error:
        # Its answer is for another page; here it only logs the missing read model.
        if problem_of(error) is None:
            raise
        return NOTHING


def name_words(customer: CustomerView) -> str:
    return words(customer.name, customer.customer_id)


def without_nul(text: str) -> str:
    """Return *text* without NUL characters, which PostgreSQL refuses."""
    return text.replace("\0", "")


def with_prices(typed: FormValues) -> tuple[FormValues, list[str]]:
    """
    Fill in the last price of known products without one; return these products.

    The product's article number is filled in, too.
    """
    without = [
        line["product"]
        for line in typed.lines
        if line.get("product") and not line.get("unit_price")
    ]
    if not without:
        return typed, []
    with reading(products.projection) as (connection, _):
        found = products.find_named(connection, [without_nul(name) for name in without])
    # A product that was once free of charge has no valid price.
    known = {name: p for name, p in found.items() if p.unit_price > 0}
    lines = [
        with_price(line, known[line["product"]])
        if line.get("product") in known and not line.get("unit_price")
        else line
        for line in typed.lines
    ]
    return FormValues(typed.fields, lines), [name for name in without if name in known]


def with_price(line: dict[str, str], product: ProductView) -> dict[str, str]:
    price = write("unit_price", product.unit_price, the_notation())
    return {**line, "unit_price": price, "product_id": product.product_id or ""}


def with_address(typed: FormValues) -> tuple[FormValues, str]:
    """
    Fill in the address of the customer whose number was typed; return a notice.

    A typed address is not changed.
    """
    number = typed.fields["customer_id"]
    if not number:
        return typed, "Type the customer's number first, then fill in the address."
    with reading(customers.projection) as (connection, _):
        customer = customers.find_one(connection, without_nul(number))
    if customer is None:
        return typed, f"There is no customer {number} here."
    if customer.address is None:
        return typed, f"No address of {customer.name} is known."
    known = address_of(customer)
    # The recipient may be another person at the same address.
    if any(typed.fields[name] not in ("", known[name]) for name in ADDRESS[1:]):
        return typed, "You have already typed another address, so it was not replaced."
    known["address.name"] = typed.fields["address.name"] or known["address.name"]
    return FormValues({**typed.fields, **known}, typed.lines), ""


def address_of(customer: CustomerView) -> dict[str, str]:
    names = {name: name.partition(".")[2] for name in ADDRESS}
    return {
        name: getattr(customer.address, field) or "" for name, field in names.items()
    }
