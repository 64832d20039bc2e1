"""The pages of orders: the list, one with what can be done with it, and a new one."""

from datetime import UTC, datetime

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from readmodels import order_details, order_list
from readmodels.order_details import OrderDetailsView
from webapp.current_shop import the_notation
from webapp.forms.definitions import (
    ACTIONS,
    CANCEL,
    DELIVER,
    PAY,
    PLACE,
    REFUND,
    SHIP,
    Action,
)
from webapp.forms.form_state import FormState, show
from webapp.forms.submit import send
from webapp.forms.values import FormValues, values_for
from webapp.problems import no_order
from webapp.query_parameters import OF_ORDERS, kept_parameters, orders_asked
from webapp.read_connection import reading, tell_undecided
from webapp.url_converters import ORDER

A_PAGE = 50

ALLOWED = {"pending": (PAY, CANCEL), "paid": (SHIP, CANCEL), "shipped": (DELIVER,)}
A_GIFT = (SHIP, CANCEL)

routes = Blueprint("orders", __name__)


@routes.get("/orders")
def newest() -> ResponseReturnValue:
    asked = orders_asked()
    with reading(order_list.projection) as (connection, _):
        page = order_list.find(connection, **asked, limit=A_PAGE)
    return render_template(
        "orders.html",
        page=page,
        asked=asked,
        kept=kept_parameters(*OF_ORDERS[:-1]),
        statuses=order_list.STATUSES,
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
def show_order(order_id: int) -> ResponseReturnValue:
    order = known_order(order_id)
    actions = [form_for(action, order) for action in allowed_actions(order)]
    return render_template("order.html", order=order, actions=actions)


def known_order(order_id: int) -> OrderDetailsView:
    """Return the order, or raise the Problem that it is not there (yet)."""
    with reading(order_details.projection) as (connection, position):
        order = order_details.find(connection, order_id)
        tell_undecided(connection, f"order-{order_id}")
    if order is None:
        raise no_order(order_id, position)
    return order


def allowed_actions(order: OrderDetailsView) -> tuple[Action, ...]:
    """Return what is offered for *order*; whether it may be, the domain decides."""
    if order.status == "pending" and not order.total:
        return A_GIFT
    if order.status == "cancelled" and order.refunded < order.paid:
        return (REFUND,)
    return ALLOWED.get(order.status, ())


def form_for(action: Action, order: OrderDetailsView) -> FormState:
    """Return the form of *action*, filled with what will most likely be sent."""
    amount = order.paid - order.refunded if action is REFUND else order.total
    likely = {"amount": amount, "delivered_at": datetime.now(UTC).isoformat()}
    return FormState(
        form=action,
        typed=values_for(action, likely, the_notation()),
        about={"order_id": order.order_id},
        version=str(order.version) if action.expects_version else "",
    )


def form_of(action: Action, order_id: int) -> ResponseReturnValue:
    order = known_order(order_id)
    if action not in allowed_actions(order):
        return render_template("not_now.html", order=order, action=action)
    return show(form_for(action, order), order=order)


def give_address(action: Action) -> None:
    """Let *action* be asked for and sent at an address below its order's."""
    name = action.endpoint.partition(".")[2]
    address = f"/orders/{ORDER}/{name}"

    @routes.get(address, endpoint=f"{name}_form")
    def ask(order_id: int) -> ResponseReturnValue:
        return form_of(action, order_id)

    @routes.post(address, endpoint=name)
    def submit(order_id: int) -> ResponseReturnValue:
        return send(action)


for action in ACTIONS:
    give_address(action)
