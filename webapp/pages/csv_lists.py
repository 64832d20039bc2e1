"""`/orders.csv` and other lists: all rows of what the page is asked, as a file."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from readmodels import (
    account_statement,
    accounts,
    customers,
    order_list,
    products,
    transfers,
)
from webapp.csv_files.naming import called, has_bom
from webapp.csv_files.rows import all_rows, lines_of, reading_at_once
from webapp.csv_files.sending import one_of_few, spool
from webapp.current_shop import the_shop
from webapp.parked_rows import refuse_parked
from webapp.problems import no_account
from webapp.query_parameters import (
    OF_ACCOUNTS,
    OF_CUSTOMERS,
    OF_ORDERS,
    OF_PRODUCTS,
    OF_STATEMENTS,
    OF_TRANSFERS,
    accounts_asked,
    customers_asked,
    only,
    orders_asked,
    products_asked,
    statement_asked,
    transfers_asked,
)
from webapp.url_converters import ACCOUNT

routes = Blueprint("csv", __name__)


@routes.get("/orders.csv", endpoint="orders")
def all_orders() -> ResponseReturnValue:
    check(OF_ORDERS)
    return file_of("orders", order_list, orders_asked())


@routes.get("/customers.csv", endpoint="customers")
def all_customers() -> ResponseReturnValue:
    check(OF_CUSTOMERS)
    return file_of("customers", customers, customers_asked())


@routes.get("/products.csv", endpoint="products")
def all_products() -> ResponseReturnValue:
    check(OF_PRODUCTS)
    return file_of("products", products, products_asked())


@routes.get("/accounts.csv", endpoint="accounts")
def all_accounts() -> ResponseReturnValue:
    check(OF_ACCOUNTS)
    return file_of("accounts", accounts, accounts_asked())


@routes.get("/transfers.csv", endpoint="transfers")
def all_transfers() -> ResponseReturnValue:
    check(OF_TRANSFERS)
    return file_of("transfers", transfers, transfers_asked())


# An account may be called `shop.csv`.
@routes.get(f"/accounts/{ACCOUNT}/statement.csv")
def statement(account_id: str) -> ResponseReturnValue:
    check(OF_STATEMENTS)
    asked = {"account_id": account_id, **statement_asked()}
    models = (account_statement.projection, accounts.projection)
    with one_of_few(), reading_at_once(*models) as (connection, position):
        account = accounts.find_one(connection, account_id)
        if account is None:
            refuse_parked(connection, accounts.projection, account_id, position)
            raise no_account(account_id, position)
        rows = all_rows(account_statement.find, connection, asked)
        view = account_statement.view
        zone = the_shop().settings.timezone
        answer = spool(
            lines_of(rows, view.row, zone, account.currency), has_bom=has_bom()
        )
    return called(answer, f"statement-{account_id}", position)


def check(names: tuple[str, ...]) -> None:
    """Raise the Problem that the list has no such parameter."""
    only(*(name for name in names if name != "after"), "bom", "min_position")


def file_of(name: str, model: Any, asked: Mapping[str, Any]) -> Response:
    """
    Return all rows of the read model whose module is *model*, for what is *asked*.

    A database is asked, also for searches: a store of searches has no one moment.
    """
    settings = the_shop().settings
    bom = has_bom()
    with one_of_few(), reading_at_once(model.projection) as (connection, position):
        rows = all_rows(model.find, connection, asked)
        lines = lines_of(rows, model.view.row, settings.timezone, settings.currency)
        answer = spool(lines, has_bom=bom)
    return called(answer, name, position)
