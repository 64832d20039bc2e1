"""The pages of orders: the list, place one, cancel one."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from readmodels import order_list
from readmodels.order_list import OrderSummaryView
from webapp.forms import CANCEL, PLACE, Typed
from webapp.showing import number_asked
from webapp.submitting import Filled, send, show
from webapp.wiring import reading

A_PAGE = 50
# A number beyond is no order's: JSON's readers do not agree on it.
ORDER = "<int(min=1, max=9007199254740992):order_id>"

routes = Blueprint("orders", __name__)


@routes.get("/orders")
def newest() -> ResponseReturnValue:
    before = number_asked("before", highest=2**53)
    with reading() as connection:
        # One more than is shown tells whether there are older ones.
        found = order_list.find_newest(connection, limit=A_PAGE + 1, before=before)
    return render_template(
        "orders.html", orders=found[:A_PAGE], before=before, more=len(found) > A_PAGE
    )


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


def find(order_id: int) -> OrderSummaryView | None:
    """Return the order's row, unless the list has not heard of it yet."""
    with reading() as connection:
        rows = order_list.find_newest(connection, limit=1, before=order_id + 1)
    return rows[0] if rows and rows[0].order_id == order_id else None
