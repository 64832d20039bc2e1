"""
What the read models have, as JSON: orders, customers, products and sums.

Each answer tells the position that its read model has reached, and how far that is
behind what was asked for.
"""

from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from eventstore.projections.position import Position
from eventstore.projections.views import Page
from readmodels import customers, order_details, order_list, products
from webapp.addresses import CUSTOMER, ORDER
from webapp.as_json import as_json
from webapp.asking import number, only
from webapp.lists import (
    OF_CUSTOMERS,
    OF_ORDERS,
    OF_PRODUCTS,
    customers_asked,
    orders_asked,
    products_asked,
)
from webapp.missing import no_customer, no_order
from webapp.reading import reading
from webapp.wiring import the_shop

MOST_ROWS = 200
A_PAGE = 50

routes = Blueprint("queries", __name__, url_prefix="/api")


@routes.get("/orders")
def orders() -> ResponseReturnValue:
    only(*OF_ORDERS, "limit", "min_position")
    asked, limit = orders_asked(), limit_asked()
    with reading(order_list.projection) as (connection, position):
        page = order_list.find(connection, **asked, limit=limit)
    return a_page("orders", page, position)


@routes.get(f"/orders/{ORDER}")
def order(order_id: int) -> ResponseReturnValue:
    only("min_position")
    with reading(order_details.projection) as (connection, position):
        found = order_details.find(connection, order_id)
    if found is None:
        raise no_order(order_id, position)
    customer = url_for("queries.customer", customer_id=found.customer_id)
    return one(found, found.version, position, customer=customer)


@routes.get("/customers")
def all_customers() -> ResponseReturnValue:
    only(*OF_CUSTOMERS, "limit", "min_position")
    asked, limit = customers_asked(), limit_asked()
    with reading(customers.projection) as (connection, position):
        page = customers.find(connection, **asked, limit=limit)
    return a_page("customers", page, position)


@routes.get(f"/customers/{CUSTOMER}")
def customer(customer_id: str) -> ResponseReturnValue:
    only("min_position")
    with reading(customers.projection) as (connection, position):
        found = customers.find_one(connection, customer_id)
    if found is None:
        raise no_customer(customer_id, position)
    orders = url_for("queries.orders", customer=customer_id)
    return one(found, found.version, position, orders=orders)


@routes.get("/products")
def all_products() -> ResponseReturnValue:
    only(*OF_PRODUCTS, "limit", "min_position")
    asked, limit = products_asked(), limit_asked()
    with reading(products.projection) as (connection, position):
        page = products.find(connection, **asked, limit=limit)
    currency = the_shop().settings.currency
    return {**a_page("products", page, position), "currency": currency}


@routes.get("/figures")
def figures() -> ResponseReturnValue:
    only("min_position")
    with reading(order_details.projection) as (connection, position):
        found = order_details.figures(connection)
    currency = the_shop().settings.currency
    return {**as_json(found), "currency": currency, **standing(position)}


def limit_asked() -> int:
    return number("limit", highest=MOST_ROWS) or A_PAGE


def a_page(name: str, page: Page[Any], position: Position) -> dict[str, Any]:
    return {
        name: [as_json(row) for row in page.rows],
        "next": page.following and next_page(page.following),
        **standing(position),
    }


def next_page(cursor: str) -> str:
    """Return the address of the page behind *cursor*, with all that was asked for."""
    assert request.endpoint is not None
    named = request.view_args or {}
    asked: dict[str, Any] = {**named, **request.args.to_dict(), "after": cursor}
    return url_for(request.endpoint, **asked)


def one(
    row: Any, version: int, position: Position, **links: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a row with its links; its ETag is what a command's If-Match expects."""
    body = {
        **as_json(row),
        "links": {"self": request.path, **links},
        **standing(position),
    }
    return body, {"ETag": f'"{version}"'}


def standing(position: Position) -> dict[str, int]:
    return {"position": position.reached, "behind": position.behind}
