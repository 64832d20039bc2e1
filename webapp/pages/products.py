"""The pages of products: the price list, one product, and a new one."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from readmodels import products
from readmodels.products import ProductView
from webapp.forms.actions import add_addresses, form_for, forms_offered
from webapp.forms.definitions import FORMS
from webapp.forms.form import Action
from webapp.forms.form_state import FormState, show
from webapp.forms.submit import send
from webapp.forms.values import FormValues
from webapp.parked_rows import mark_one, mark_rows, refuse_parked
from webapp.problems import no_product
from webapp.query_parameters import OF_PRODUCTS, kept_parameters, products_asked
from webapp.read_connection import reading, tell_undecided
from webapp.url_converters import PRODUCT

A_PAGE = 50
ADD = FORMS["AddProduct"]

routes = Blueprint("products", __name__)


@routes.get("/products")
def price_list() -> ResponseReturnValue:
    asked = products_asked()
    with reading(products.projection) as (connection, position):
        page = products.find(connection, **asked, limit=A_PAGE)
        mark_rows(connection, products.projection, page.rows, position)
    return render_template(
        "products.html",
        page=page,
        asked=asked,
        kept=kept_parameters(*OF_PRODUCTS[:-1]),
    )


@routes.get("/products/new")
def empty_product() -> ResponseReturnValue:
    return show(FormState(form=ADD, typed=FormValues({})))


@routes.post("/products/new")
def add() -> ResponseReturnValue:
    return send(ADD)


@routes.get(f"/products/{PRODUCT}")
def show_one(product_id: str) -> ResponseReturnValue:
    product = known_product(product_id)
    return render_template(
        "product.html", product=product, actions=forms_offered("products", product)
    )


def known_product(product_id: str) -> ProductView:
    """Return the product, or raise the Problem that it is not there yet."""
    with reading(products.projection) as (connection, position):
        product = products.find_one(connection, product_id)
        if product is None:
            refuse_parked(connection, products.projection, product_id, position)
            raise no_product(product_id, position)
        tell_undecided(connection, f"product-{product_id}")
        mark_one(connection, products.projection, product, position)
    return product


def ask(action: Action, product_id: str) -> ResponseReturnValue:
    return show(form_for(action, known_product(product_id)))


add_addresses(routes, f"/products/{PRODUCT}", ask)
