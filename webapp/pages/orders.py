"""The pages of orders: the list, one order with its actions, and a new one."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue

from domain.orders.commands import PutOffCancellation
from eventstore.journal.entries import Entry, find_scheduled
from readmodels import order_details, order_list, products
from readmodels.order_details import OrderDetailsView
from readmodels.order_parts import Line
from readmodels.products import ProductView
from webapp import one_row
from webapp.current_shop import the_notation
from webapp.forms.actions import add_addresses, form_for, forms_offered
from webapp.forms.definitions import FORMS
from webapp.forms.form import Action
from webapp.forms.form_state import FormState, show
from webapp.forms.offered_on_orders import is_known
from webapp.forms.submit import send
from webapp.forms.values import FormValues, values_for
from webapp.history.of_orders import history_of
from webapp.journal_source import ask_journal
from webapp.one_row import find_row
from webapp.pages.order_filters import NO_FILTER, links_to_filters, words_of_filter
from webapp.problems import no_order
from webapp.query_parameters import OF_ORDERS, kept_parameters, orders_asked
from webapp.read_connection import reading, tell_undecided
from webapp.rows_found import find_rows, search_orders
from webapp.url_converters import ORDER, numbers_of_orders

A_PAGE = 50
PLACE = FORMS["PlaceOrder"]
PLACE_FIRST = FORMS["PlaceFirstOrder"]

routes = Blueprint("orders", __name__)


@routes.get("/orders")
def newest() -> ResponseReturnValue:
    asked, kept = orders_asked(), kept_parameters(*OF_ORDERS[:-1])
    found = find_rows(order_list, asked, A_PAGE, search=search_orders)
    return render_template(
        "orders.html",
        page=found.page,
        asked=asked,
        kept=kept,
        filters=links_to_filters(kept),
        filter_words=words_of_filter(asked),
        NO_FILTER=NO_FILTER,
    )


@routes.get("/orders/new")
def empty_order() -> ResponseReturnValue:
    if copied := numbers_of_orders([request.args.get("copy", "")]):
        order = known_order(*copied)
        typed = values_for(PLACE, data_of_copy(order), the_notation())
        return show(FormState(form=PLACE, typed=typed))
    customer_id = request.args.get("customer", "")
    typed = FormValues({"customer_id": customer_id}, [{}, {}, {}])
    return show(FormState(form=PLACE, typed=typed))


def data_of_copy(order: OrderDetailsView) -> dict[str, Any]:
    """
    Return what a new order like *order* would be.

    Products of the list have the list's prices of today, so theirs stay empty.
    """
    numbers = [line.product_id for line in order.lines if line.product_id]
    with reading(products.projection) as (connection, _):
        known = products.find_by_number(connection, numbers)
    return {
        "customer_id": order.customer_id,
        "address": asdict(order.address),
        "terms": order.terms,
        "discount": order.discount or None,
        "items": [
            copied_line(line, known.get(line.product_id or "")) for line in order.lines
        ],
    }


def copied_line(line: Line, product: ProductView | None) -> dict[str, Any]:
    again = {"quantity": line.quantity, "discount": line.discount}
    if product is None or product.discontinued_at is not None:
        own = {"product": line.product, "own": True, "unit_price": line.unit_price}
        return {**own, **again}
    return {"product": product.product_id, **again}


@routes.post("/orders/new")
def place() -> ResponseReturnValue:
    return send(PLACE)


@routes.get("/orders/new/first")
def empty_first_order() -> ResponseReturnValue:
    return show(FormState(form=PLACE_FIRST, typed=FormValues({}, [{}, {}, {}])))


@routes.post("/orders/new/first")
def place_first() -> ResponseReturnValue:
    return send(PLACE_FIRST)


@routes.get(f"/orders/{ORDER}")
def show_one(order_id: int) -> ResponseReturnValue:
    order = known_order(order_id)
    cancelling = find_cancelling(order)
    return render_template(
        "order.html",
        order=order,
        history=history_of(order),
        actions=[
            filled
            for filled in forms_offered("orders", order)
            # Nobody puts off what is not going to happen.
            if cancelling or filled.form.command is not PutOffCancellation
        ],
        is_known=is_known(order),
        cancelling=cancelling,
    )


def find_cancelling(order: OrderDetailsView) -> Entry | None:
    """Return the command that will cancel the order if nothing is paid, or None."""
    if order.status != "pending" or order.paid or g.get("past"):
        return None
    stream_id = f"order-{order.order_id}"
    found = ask_journal(lambda connection: find_scheduled(connection, [stream_id]))
    until = None if order.put_off_until is None else order.put_off_until.isoformat()
    for entry in found or ():
        is_cancelling = entry.type == "CancelUnpaidOrder"
        if is_cancelling and entry.data.get("until") == until:
            return entry
    return None


@routes.get(f"/orders/{ORDER}/packing-slip")
def packing_slip(order_id: int) -> ResponseReturnValue:
    return render_template("print/packing_slip.html", order=known_order(order_id))


@routes.get(f"/orders/{ORDER}/confirmation")
def confirmation(order_id: int) -> ResponseReturnValue:
    return render_template("print/confirmation.html", order=known_order(order_id))


def known_order(order_id: int) -> OrderDetailsView:
    """Return the order, or raise the Problem that it is not there yet."""
    stream_id = f"order-{order_id}"
    found = find_row(
        order_details,
        order_details.find,
        order_id,
        no_order,
        hot=one_row.ORDER,
        beside=lambda connection: tell_undecided(connection, stream_id),
    )
    order: OrderDetailsView = found.row
    return order


def ask(action: Action, order_id: int) -> ResponseReturnValue:
    order = known_order(order_id)
    if not action.is_offered(order):
        return render_template("not_now.html", order=order, action=action)
    return show(form_for(action, order), order=order)


add_addresses(routes, f"/orders/{ORDER}", ask)
