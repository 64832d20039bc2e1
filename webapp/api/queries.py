"""
What the read models have, as JSON: orders, customers, products, accounts and sums.

Each answer has the position of its read model, and how far that is behind the requested
one; if the read model is stopped, since when and why.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue

from eventstore.projections.freshness import Freshness
from eventstore.projections.projection import Key
from eventstore.projections.views import Page
from readmodels import (
    account_statement,
    accounts,
    customers,
    figures,
    order_details,
    order_list,
    ordered_products,
    products,
    transfers,
)
from webapp import one_row
from webapp.current_shop import the_shop
from webapp.json_values import as_json
from webapp.one_row import FoundRow, HotQuestion, find_row
from webapp.parked_rows import (
    Marks,
    find_mark,
    left_out_field,
    mark_rows,
    parked_field,
    refuse_parked,
)
from webapp.past.moment_asked import moment_shown
from webapp.problems import (
    Problem,
    no_account,
    no_customer,
    no_order,
    no_product,
    no_transfer,
    position_fields,
)
from webapp.query_parameters import (
    OF_ACCOUNTS,
    OF_CUSTOMERS,
    OF_ORDERED_PRODUCTS,
    OF_ORDERS,
    OF_PRODUCTS,
    OF_STATEMENTS,
    OF_TRANSFERS,
    accounts_asked,
    customers_asked,
    number,
    only,
    ordered_products_asked,
    orders_asked,
    products_asked,
    statement_asked,
    transfers_asked,
)
from webapp.read_connection import reading
from webapp.rows_found import (
    Question,
    find_rows,
    search_customers,
    search_orders,
)
from webapp.sales_asked import OF_SALES, find_sales, sales_asked, values_of
from webapp.url_converters import ACCOUNT, CUSTOMER, ORDER, PRODUCT, TRANSFER

MAX_ROWS = 200
A_PAGE = 50

K = TypeVar("K", bound=Key)
R = TypeVar("R")

routes = Blueprint("queries", __name__, url_prefix="/api")


@routes.get("/orders")
def orders() -> ResponseReturnValue:
    return rows_of("orders", order_list, OF_ORDERS, orders_asked, search=search_orders)


@routes.get(f"/orders/{ORDER}")
def order(order_id: int) -> ResponseReturnValue:
    found = row_of(
        order_details, order_details.find, order_id, no_order, hot=one_row.ORDER
    )
    customer = url_for("queries.customer", customer_id=found.row.customer_id)
    return one(found, customer=customer)


@routes.get("/customers")
def all_customers() -> ResponseReturnValue:
    return rows_of(
        "customers", customers, OF_CUSTOMERS, customers_asked, search=search_customers
    )


@routes.get(f"/customers/{CUSTOMER}")
def customer(customer_id: str) -> ResponseReturnValue:
    found = row_of(
        customers, customers.find_one, customer_id, no_customer, hot=one_row.CUSTOMER
    )
    return one(found, orders=url_for("queries.orders", customer=customer_id))


@routes.get("/products")
def all_products() -> ResponseReturnValue:
    return rows_of("products", products, OF_PRODUCTS, products_asked)


@routes.get(f"/products/{PRODUCT}")
def product(product_id: str) -> ResponseReturnValue:
    return one(row_of(products, products.find_one, product_id, no_product))


@routes.get("/ordered-products")
def all_ordered_products() -> ResponseReturnValue:
    page = rows_of(
        "products", ordered_products, OF_ORDERED_PRODUCTS, ordered_products_asked
    )
    return {**page, "currency": the_shop().settings.currency}


@routes.get("/figures", endpoint="figures")
def sums() -> ResponseReturnValue:
    only("min_position")
    with reading(figures.projection) as (connection, position):
        found = figures.find(connection)
        marks = mark_rows(connection, figures.projection, [], position)
    return {
        **as_json(found),
        "currency": the_shop().settings.currency,
        **position_fields(position),
        **left_out_field(marks),
    }


@routes.get("/sales", endpoint="sales")
def sold() -> ResponseReturnValue:
    only(*OF_SALES, "limit", "min_position")
    asked = sales_asked()
    found = find_sales(asked, limit_asked())
    page = found.page
    return {
        **asked.parameters,
        "lines": [as_json(values_of(asked.by, o, found.names)) for o in page.lines],
        "total": as_json(page.total),
        "next": page.following and next_page(page.following),
        "currency": the_shop().settings.currency,
        **position_fields(found.position),
        **left_out_field(found.marks),
    }


@routes.get("/accounts")
def all_accounts() -> ResponseReturnValue:
    return rows_of("accounts", accounts, OF_ACCOUNTS, accounts_asked)


@routes.get(f"/accounts/{ACCOUNT}")
def account(account_id: str) -> ResponseReturnValue:
    found = row_of(accounts, accounts.find_one, account_id, no_account)
    statement = url_for("queries.statement", account_id=account_id)
    return one(found, statement=statement)


@routes.get(f"/accounts/{ACCOUNT}/statement")
def statement(account_id: str) -> ResponseReturnValue:
    only(*OF_STATEMENTS, "limit", "min_position")
    asked, limit = statement_asked(), limit_asked()
    models = (account_statement.projection, accounts.projection)
    with reading(*models) as (connection, position):
        if accounts.find_one(connection, account_id) is None:
            refuse_parked(connection, accounts.projection, account_id, position)
            raise no_account(account_id, position)
        page = account_statement.find(connection, account_id, **asked, limit=limit)
        model, stream_id = account_statement.projection, f"account-{account_id}"
        mark = find_mark(connection, model, stream_id, position)
        marks = mark_rows(connection, model, page.rows, position, is_list=False)
    return {**a_page("lines", page, position, marks), **parked_field(mark)}


@routes.get("/transfers")
def all_transfers() -> ResponseReturnValue:
    return rows_of("transfers", transfers, OF_TRANSFERS, transfers_asked)


@routes.get(f"/transfers/{TRANSFER}")
def transfer(transfer_id: int) -> ResponseReturnValue:
    found = row_of(transfers, transfers.find_one, transfer_id, no_transfer)
    return one(
        found,
        from_account=url_for("queries.account", account_id=found.row.from_account),
        to_account=url_for("queries.account", account_id=found.row.to_account),
    )


def rows_of(
    name: str,
    model: Any,
    may_ask: Sequence[str],
    asked: Callable[[], dict[str, Any]],
    *,
    search: Question | None = None,
) -> dict[str, Any]:
    """Return the requested page of a read model's rows."""
    only(*may_ask, "limit", "min_position")
    found = find_rows(model, asked(), limit_asked(), search=search)
    return a_page(name, *found)


def row_of(
    model: Any,
    find: Callable[[sa.Connection, K], R | None],
    key: K,
    missing: Callable[[K, Freshness], Problem],
    *,
    hot: HotQuestion | None = None,
) -> FoundRow:
    """Return the requested row. Raises the Problem that it is missing, or parked."""
    only("min_position")
    return find_row(model, find, key, missing, hot=hot)


def limit_asked() -> int:
    return number("limit", highest=MAX_ROWS) or A_PAGE


def a_page(
    name: str, page: Page[Any], position: Freshness, marks: Marks
) -> dict[str, Any]:
    return {
        name: [as_json(row) | parked_field(mark) for row, mark in marks.of(page.rows)],
        "next": page.following and next_page(page.following),
        **({"similar": page.similar} if page.similar else {}),
        **position_fields(position),
        **left_out_field(marks),
    }


def next_page(cursor: str) -> str:
    """Return the address of the page after *cursor*, with all parameters."""
    assert request.endpoint is not None
    named = request.view_args or {}
    asked: dict[str, Any] = {**named, **request.args.to_dict(), "after": cursor}
    return url_for(request.endpoint, **asked)


def one(found: FoundRow, **links: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a row with its links; its ETag is for a command's If-Match."""
    [(row, mark)] = found.marks.of([found.row])
    body = {
        **as_json(row),
        "links": {"self": address_of_this(), **links},
        **position_fields(found.position),
        **parked_field(mark),
        **left_out_field(found.marks),
    }
    # A command is for what is, and not for what was.
    is_past = moment_shown() is not None
    return body, {} if is_past else {"ETag": f'"{row.version}"'}


def address_of_this() -> str:
    """Return the address of what is shown, with its moment."""
    if moment_shown() is None or request.endpoint is None:
        return request.path
    return url_for(request.endpoint, **(request.view_args or {}))
