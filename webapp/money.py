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
from webapp.queries import a_page, limit_asked, one, row_of, rows_of
from webapp.reading import reading

routes = Blueprint("money", __name__, url_prefix="/api")


@routes.get("/accounts")
def all_accounts() -> ResponseReturnValue:
    return rows_of("accounts", accounts, OF_ACCOUNTS, accounts_asked)


@routes.get(f"/accounts/{ACCOUNT}")
def account(account_id: str) -> ResponseReturnValue:
    found, position = row_of(accounts, accounts.find_one, account_id, no_account)
    statement = url_for("money.statement", account_id=account_id)
    return one(found, position, statement=statement)


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
    return rows_of("transfers", transfers, OF_TRANSFERS, transfers_asked)


@routes.get(f"/transfers/{TRANSFER}")
def transfer(transfer_id: int) -> ResponseReturnValue:
    found, position = row_of(transfers, transfers.find_one, transfer_id, no_transfer)
    return one(
        found,
        position,
        from_account=url_for("money.account", account_id=found.from_account),
        to_account=url_for("money.account", account_id=found.to_account),
    )
