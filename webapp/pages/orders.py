"""The pages of orders: the list, one order with its actions, and a new one."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from readmodels import order_details, order_list
from readmodels.order_details import OrderDetailsView
from webapp import one_row
from webapp.forms.actions import add_addresses, form_for, forms_offered
from webapp.forms.definitions import FORMS
from webapp.forms.form import Action
from webapp.forms.form_state import FormState, show
from webapp.forms.submit import send
from webapp.forms.values import FormValues
from webapp.one_row import find_row
from webapp.problems import no_order
from webapp.query_parameters import OF_ORDERS, kept_parameters, orders_asked
from webapp.read_connection import tell_undecided
from webapp.rows_found import find_rows, search_orders
from webapp.url_converters import ORDER

A_PAGE = 50
PLACE = FORMS["PlaceOrder"]

routes = Blueprint("orders", __name__)


@routes.get("/orders")
def newest() -> ResponseReturnValue:
    asked = orders_asked()
    found = find_rows(order_list, asked, A_PAGE, search=search_orders)
    return render_template(
        "orders.html",
        page=found.page,
        asked=asked,
        kept=kept_parameters(*OF_ORDERS[:-1]),
        statuses=order_list.STATUSES,
        is_new_shop=not found.position.reached,
    )


@routes.get("/orders/new")
def empty_order() -> ResponseReturnValue:
    customer_id = request.args.get("customer", "")
    typed = FormValues({"customer_id": customer_id}, [{}, {}, {}])
    return show(FormState(form=PLACE, typed=typed))


@routes.post("/orders/new")
def place() -> ResponseReturnValue:
    return send(PLACE)


@routes.get(f"/orders/{ORDER}")
def show_one(order_id: int) -> ResponseReturnValue:
    order = known_order(order_id)
    actions = forms_offered("orders", order)
    return render_template("order.html", order=order, actions=actions)


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
