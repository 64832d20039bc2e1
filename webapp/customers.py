"""The pages of customers: the list, one of them, register one, change one."""

from dataclasses import asdict

from flask import Blueprint, Flask, render_template
from flask.typing import ResponseReturnValue
from werkzeug.routing import BaseConverter

from readmodels import customers, order_list
from readmodels.customers import CustomerView
from webapp.filled import Filled, show
from webapp.forms import CHANGE, REGISTER
from webapp.lists import OF_CUSTOMERS, customers_asked, kept
from webapp.missing import no_customer
from webapp.reading import reading
from webapp.submitting import send
from webapp.typed import Typed, typed_for
from webapp.wiring import the_notation

A_PAGE = 50
ORDERS_SHOWN = 10
CUSTOMER = "<customer:customer_id>"

routes = Blueprint("customers", __name__)


class CustomerNumber(BaseConverter):
    """A customer's number in an address; whoever is called `new` is at `~new`."""

    regex = "~?[A-Za-z0-9][A-Za-z0-9._-]{0,39}"

    def to_python(self, value: str) -> str:
        return value.removeprefix("~")

    def to_url(self, value: str) -> str:
        return "~new" if value == "new" else super().to_url(value)


def know_numbers(app: Flask) -> None:
    """Teach the addresses of *app* what a customer's number is."""
    app.url_map.converters["customer"] = CustomerNumber


@routes.get("/customers")
def all_of_them() -> ResponseReturnValue:
    asked = customers_asked()
    with reading(customers.projection) as (connection, _):
        page = customers.find(connection, **asked, limit=A_PAGE)
    return render_template(
        "customers.html", page=page, asked=asked, kept=kept(*OF_CUSTOMERS[:-1])
    )


@routes.get("/customers/new")
def registration() -> ResponseReturnValue:
    return show(Filled(form=REGISTER, typed=Typed({})))


@routes.post("/customers/new")
def register() -> ResponseReturnValue:
    return send(REGISTER)


@routes.get(f"/customers/{CUSTOMER}")
def one(customer_id: str) -> ResponseReturnValue:
    models = (customers.projection, order_list.projection)
    with reading(*models) as (connection, position):
        customer = customers.find_one(connection, customer_id)
        if customer is None:
            raise no_customer(customer_id, position)
        page = order_list.find(connection, customer_id=customer_id, limit=ORDERS_SHOWN)
    return render_template("customer.html", customer=customer, page=page)


@routes.get(f"/customers/{CUSTOMER}/edit")
def details(customer_id: str) -> ResponseReturnValue:
    with reading(customers.projection) as (connection, position):
        customer = customers.find_one(connection, customer_id)
    if customer is None:
        raise no_customer(customer_id, position)
    return show(filled_with_details(customer))


def filled_with_details(customer: CustomerView) -> Filled:
    return Filled(
        form=CHANGE,
        typed=typed_for(CHANGE, asdict(customer), the_notation()),
        about={"customer_id": customer.customer_id},
        version=str(customer.version),
    )


@routes.post(f"/customers/{CUSTOMER}/edit")
def change(customer_id: str) -> ResponseReturnValue:
    return send(CHANGE)
