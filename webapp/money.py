"""Accounts, their statements, and transfers, as JSON."""

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from readmodels import account_statement, accounts, transfers
from webapp.addresses import ACCOUNT, TRANSFER
from webapp.asking import only
from webapp.lists import (
    OF_ACCOUNTS,
    OF_STATEMENTS,
    OF_TRANSFERS,
    accounts_asked,
    statement_asked,
    transfers_asked,
)
from webapp.missing import no_account, no_transfer
from webapp.queries import a_page, limit_asked, one
from webapp.reading import reading

routes = Blueprint("money", __name__, url_prefix="/api")


@routes.get("/accounts")
def all_accounts() -> ResponseReturnValue:
    only(*OF_ACCOUNTS, "limit", "min_position")
    asked, limit = accounts_asked(), limit_asked()
    with reading(accounts.projection) as (connection, position):
        page = accounts.find(connection, **asked, limit=limit)
    return a_page("accounts", page, position)


@routes.get(f"/accounts/{ACCOUNT}")
def account(account_id: str) -> ResponseReturnValue:
    only("min_position")
    with reading(accounts.projection) as (connection, position):
        found = accounts.find_one(connection, account_id)
    if found is None:
        raise no_account(account_id, position)
    statement = url_for("money.statement", account_id=account_id)
    return one(found, found.version, position, statement=statement)


@routes.get(f"/accounts/{ACCOUNT}/statement")
def statement(account_id: str) -> ResponseReturnValue:
    only(*OF_STATEMENTS, "limit", "min_position")
    asked, limit = statement_asked(), limit_asked()
    models = (account_statement.projection, accounts.projection)
    with reading(*models) as (connection, position):
        if accounts.find_one(connection, account_id) is None:
            raise no_account(account_id, position)
        page = account_statement.find(connection, account_id, **asked, limit=limit)
    return a_page("lines", page, position)


@routes.get("/transfers")
def all_transfers() -> ResponseReturnValue:
    only(*OF_TRANSFERS, "limit", "min_position")
    asked, limit = transfers_asked(), limit_asked()
    with reading(transfers.projection) as (connection, position):
        page = transfers.find(connection, **asked, limit=limit)
    return a_page("transfers", page, position)


@routes.get(f"/transfers/{TRANSFER}")
def transfer(transfer_id: int) -> ResponseReturnValue:
    only("min_position")
    with reading(transfers.projection) as (connection, position):
        found = transfers.find_one(connection, transfer_id)
    if found is None:
        raise no_transfer(transfer_id, position)
    return one(
        found,
        found.version,
        position,
        from_account=url_for("money.account", account_id=found.from_account),
        to_account=url_for("money.account", account_id=found.to_account),
    )
