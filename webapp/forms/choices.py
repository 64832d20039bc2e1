"""The choices of a form, and the fields that it fills in for a choice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.errors import Fault
from readmodels import customers, products
from readmodels.customers import CustomerView
from readmodels.order_details import OrderDetailsView
from readmodels.products import ProductView
from readmodels.words import words
from webapp.current_shop import the_notation
from webapp.formats import write
from webapp.forms.form import Action, Form
from webapp.forms.of_orders import ADDRESS
from webapp.forms.values import FormValues
from webapp.outages import DATABASE_ERRORS, problem_of
from webapp.parked_rows import mark_rows
from webapp.read_connection import reading

MAX_OFFERED = 200
MAX_NAMED = 5
"""So many customers are named when one is asked back."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The choices, and the customer whose number was typed."""

    products: Sequence[ProductView] = ()
    customers: Sequence[CustomerView] = ()
    customer: CustomerView | None = None


NOTHING = Offer()


def offer_for(form: Form, typed: FormValues) -> Offer:
    """Return the choices of *form*; without them, values can still be typed."""
    if not form.names_products:
        return NOTHING
    number = without_nul(typed.fields.get("customer_id", ""))
    try:
        models = (customers.projection, products.projection)
        with reading(*models) as (connection, position):
            listed = products.find(connection, is_listed=True, limit=MAX_OFFERED).rows
            mark_rows(connection, products.projection, listed, position)
            most = customers.find(connection, sort="-orders", limit=MAX_OFFERED)
            return Offer(
                listed,
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


def name_customer(typed: str) -> tuple[str, list[Fault]]:
    """
    Return the number of the customer whose number or whole name was typed.

    Where it may be one of several it is asked back. Whom the list does not have may
    have been registered a moment ago: then it is what was typed.
    """
    customer, faults = find_customer(typed)
    return typed if customer is None else customer.customer_id, faults


def find_customer(typed: str) -> tuple[CustomerView | None, list[Fault]]:
    """Return whom `name_customer` means, None where the list does not have them."""
    asked = without_nul(typed)
    if not asked.strip():
        return None, []
    with reading(customers.projection) as (connection, _):
        by_number = customers.find_one(connection, asked)
        if by_number is not None:
            return by_number, []
        found = customers.find(connection, search=asked, limit=MAX_NAMED).rows
    same = [one for one in found if words(one.name) == words(asked)]
    if len(same) == 1:
        return same[0], []
    if not found:
        return None, []
    named = ", ".join(f"{one.name} ({one.customer_id})" for one in same or found)
    problem = f"is no customer's number; did you mean {named}?"
    return None, [Fault("customer_id", problem)]


def products_typed(names: Iterable[str]) -> dict[str, list[ProductView]]:
    """Return the products of the list that each of *names* may mean."""
    asked = {without_nul(name) for name in names}
    if not asked:
        return {}
    with reading(products.projection) as (connection, _):
        return products.find_by_words(connection, asked)


def with_prices(typed: FormValues) -> FormValues:
    """Fill in the list's price of products that were typed without one."""
    unpriced = [line for line in typed.lines if is_unpriced(line)]
    found = products_typed(line["product"] for line in unpriced)
    prices = {name: known[0] for name, known in found.items() if len(known) == 1}
    lines = [
        with_price(line, prices[line["product"]])
        if is_unpriced(line) and line["product"] in prices
        else line
        for line in typed.lines
    ]
    return FormValues(typed.fields, lines)


def is_unpriced(line: Mapping[str, str]) -> bool:
    return bool(line.get("product")) and not (line.get("unit_price") or line.get("own"))


def with_price(line: dict[str, str], product: ProductView) -> dict[str, str]:
    return {
        **line,
        "unit_price": write("unit_price", product.unit_price, the_notation()),
    }


def name_products(
    items: Sequence[dict[str, Any]],
) -> tuple[list[dict[str, Any]], list[Fault]]:
    """
    Return the lines of a form as a command has them, and the faults of their products.

    What was typed as a product is the number or the name of one of the list, unless the
    line says that it is one of its *own*. It is never guessed.
    """
    found = products_typed(
        item["product"]
        for item in items
        if "product" in item and not (item.get("own") or "line" in item)
    )
    named, faults = [], []
    for place, item in enumerate(items):
        line = {name: value for name, value in item.items() if name != "own"}
        if "line" in line:
            # The order has it: its product stays.
            line.pop("product", None)
        elif "product" in line and not item.get("own"):
            known = found.get(without_nul(line.pop("product")), [])
            if len(known) == 1:
                line["product_id"] = known[0].product_id
            else:
                faults.append(Fault(f"items.{place}.product", problem_with(known)))
        named.append(line)
    return named, faults


def items_as_typed(
    items: Sequence[Mapping[str, Any]], order: OrderDetailsView | None
) -> list[dict[str, Any]]:
    """Return a command's lines as its form has them; *order* has its present lines."""
    known = {line.number: line.product for line in (order.lines if order else ())}
    typed = []
    for item in items:
        product: str | None
        if item.get("line") is not None:
            product, own = known.get(item["line"], f"Line {item['line']}"), False
        elif item.get("product") is not None:
            product, own = item["product"], True
        else:
            product, own = item.get("product_id"), False
        typed.append({**item, "product": product, "own": own})
    return typed


def lines_as_typed(
    action: Action, data: Mapping[str, Any], order: OrderDetailsView
) -> dict[str, Any]:
    """Return the pieces that a command names as the form of *order* has them now."""
    named = {one["line"]: one["quantity"] for one in data[action.lines_in] or ()}
    lines = action.suggest(order)[action.lines_in]
    return {
        action.lines_in: [
            {**line, "quantity": named.get(line["line"])} for line in lines
        ]
    }


def problem_with(known: Sequence[ProductView]) -> str:
    if not known:
        return "is not on the price list: choose one, or say that the line is your own"
    numbers = ", ".join(product.product_id for product in known)
    return f"is the name of several products: type the number of one, {numbers}"


def with_address(typed: FormValues) -> tuple[FormValues, str]:
    """
    Fill in the address of the customer whose number was typed; return a notice.

    A typed address is not changed.
    """
    asked = typed.fields["customer_id"]
    if not asked:
        return typed, "Type the customer first, then fill in the address."
    customer, unclear = find_customer(asked)
    if unclear:
        return typed, f"{asked} {unclear[0].problem}"
    if customer is None:
        return typed, f"There is no customer {asked} here."
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
