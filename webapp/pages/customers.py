"""The pages of customers: the list, one customer, registration, changes."""

from dataclasses import asdict

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from domain.customers.commands import ForgetCustomer
from eventstore.rewriting.archived_logs import names_of_kept
from eventstore.rewriting.unencrypted_events import count_unencrypted
from readmodels import customers, order_list
from readmodels.customers import CustomerView
from webapp import one_row
from webapp.current_shop import the_notation, the_shop
from webapp.doubts import find_doubts
from webapp.forms.definitions import FORMS
from webapp.forms.form_state import FormState, show
from webapp.forms.submit import send
from webapp.forms.values import FormValues, values_for
from webapp.history.of_customers import history_of
from webapp.one_row import find_row
from webapp.parked_rows import mark_one, mark_rows, refuse_parked
from webapp.problems import no_customer
from webapp.query_parameters import OF_CUSTOMERS, customers_asked, kept_parameters
from webapp.read_connection import reading, tell_undecided
from webapp.rows_found import find_rows, search_customers
from webapp.url_converters import CUSTOMER

A_PAGE = 50
ORDERS_SHOWN = 10
REGISTER = FORMS["RegisterCustomer"]
CHANGE = FORMS["ChangeCustomerDetails"]
FORGET = FORMS["ForgetCustomer"]

routes = Blueprint("customers", __name__)


@routes.get("/customers")
def all_of_them() -> ResponseReturnValue:
    asked = customers_asked()
    found = find_rows(customers, asked, A_PAGE, search=search_customers)
    return render_template(
        "customers.html",
        page=found.page,
        asked=asked,
        kept=kept_parameters(*OF_CUSTOMERS[:-1]),
    )


@routes.get("/customers/new")
def registration() -> ResponseReturnValue:
    return show(FormState(form=REGISTER, typed=FormValues({})))


@routes.post("/customers/new")
def register() -> ResponseReturnValue:
    return send(REGISTER)


@routes.get(f"/customers/{CUSTOMER}")
def show_one(customer_id: str) -> ResponseReturnValue:
    models = (customers.projection, order_list.projection)
    with reading(*models) as (connection, position):
        customer = customers.find_one(connection, customer_id)
        if customer is None:
            refuse_parked(connection, customers.projection, customer_id, position)
            raise no_customer(customer_id, position)
        tell_undecided(connection, f"customer-{customer_id}")
        mark_one(connection, customers.projection, customer, position)
        page = order_list.find(connection, customer_id=customer_id, limit=ORDERS_SHOWN)
        mark_rows(connection, order_list.projection, page.rows, position)
    return render_template(
        "customer.html", customer=customer, page=page, history=history_of(customer)
    )


@routes.get(f"/customers/{CUSTOMER}/edit")
def details(customer_id: str) -> ResponseReturnValue:
    return show(form_with_details(find_customer(customer_id)))


def find_customer(customer_id: str) -> CustomerView:
    """Return a customer, or raise the Problem that there is none."""
    stream_id = f"customer-{customer_id}"
    found = find_row(
        customers,
        customers.find_one,
        customer_id,
        no_customer,
        hot=one_row.CUSTOMER,
        beside=lambda connection: tell_undecided(connection, stream_id),
    )
    customer: CustomerView = found.row
    return customer


def form_with_details(customer: CustomerView) -> FormState:
    return FormState(
        form=CHANGE,
        typed=values_for(CHANGE, asdict(customer), the_notation()),
        about={"customer_id": customer.customer_id},
        version=str(customer.version),
    )


@routes.post(f"/customers/{CUSTOMER}/edit")
def change(customer_id: str) -> ResponseReturnValue:
    return send(CHANGE)


@routes.get(f"/customers/{CUSTOMER}/forget")
def forgetting(customer_id: str) -> ResponseReturnValue:
    about = {"customer_id": find_customer(customer_id).customer_id}
    filled = FormState(form=FORGET, typed=FormValues({}), about=about)
    return show(
        filled,
        in_the_clear=events_in_the_clear(customer_id),
        kept_logs=kept_logs(),
        open_business=find_doubts(the_shop(), ForgetCustomer(customer_id=customer_id)),
    )


def events_in_the_clear(customer_id: str) -> int:
    """Return the number of a customer's events that stay readable when forgotten."""
    shop = the_shop()
    with shop.engine.connect() as connection:
        orders = order_list.numbers_of(connection, customer_id)
        streams = [f"customer-{customer_id}", *(f"order-{n}" for n in orders)]
        return count_unencrypted(connection, streams, shop.deciders)


def kept_logs() -> list[str]:
    """Return the old logs kept by rewrites, in which forgetting has no effect."""
    with the_shop().lent() as connection:
        return names_of_kept(connection)


@routes.post(f"/customers/{CUSTOMER}/forget")
def forget(customer_id: str) -> ResponseReturnValue:
    return send(FORGET)
