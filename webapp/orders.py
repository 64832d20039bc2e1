"""The pages of orders: the list, place one, cancel one."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from readmodels import order_details, order_list
from readmodels.order_details import OrderDetailsView
from webapp.forms import CANCEL, PLACE, Typed
from webapp.submitting import Filled, send, show
from webapp.wiring import reading

A_PAGE = 50
# A number beyond is no order's: JSON's readers do not agree on it.
ORDER = "<int(min=1, max=9007199254740992):order_id>"

routes = Blueprint("orders", __name__)


@routes.get("/orders")
def newest() -> ResponseReturnValue:
    after = request.args.get("after")
    with reading() as connection:
        page = order_list.find(connection, limit=A_PAGE, after=after)
    return render_template("orders.html", page=page, after=after)


@routes.get("/orders/new")
def empty_order() -> ResponseReturnValue:
    customer_id = request.args.get("customer", "")
    typed = Typed({"customer_id": customer_id}, [{}, {}, {}])
    return show(Filled(form=PLACE, typed=typed))


@routes.post("/orders/new")
def place() -> ResponseReturnValue:
    return send(PLACE)


@routes.get(f"/orders/{ORDER}/cancel")
def cancellation(order_id: int) -> ResponseReturnValue:
    filled = Filled(form=CANCEL, typed=Typed({}), about={"order_id": order_id})
    return show(filled, order=find(order_id))


@routes.post(f"/orders/{ORDER}/cancel")
def cancel(order_id: int) -> ResponseReturnValue:
    return send(CANCEL)


def find(order_id: int) -> OrderDetailsView | None:
    """Return the order's row, unless the list has not heard of it yet."""
    with reading() as connection:
        return order_details.find(connection, order_id)
