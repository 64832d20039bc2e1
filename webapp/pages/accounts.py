"""The pages of accounts: the list, one with its statement, and its actions."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from readmodels import account_statement, accounts
from webapp.forms.actions import add_addresses, form_for, forms_offered
from webapp.forms.definitions import FORMS
from webapp.forms.form import Action
from webapp.forms.form_state import FormState, show
from webapp.forms.submit import send
from webapp.forms.values import FormValues
from webapp.parked_rows import find_mark, mark_one, mark_rows, refuse_parked
from webapp.problems import no_account
from webapp.query_parameters import (
    OF_ACCOUNTS,
    accounts_asked,
    kept_parameters,
    statement_asked,
)
from webapp.read_connection import reading, tell_undecided
from webapp.url_converters import ACCOUNT

A_PAGE = 50
OPEN = FORMS["OpenAccount"]

routes = Blueprint("accounts", __name__)


@routes.get("/accounts")
def all_of_them() -> ResponseReturnValue:
    asked = accounts_asked()
    with reading(accounts.projection) as (connection, position):
        page = accounts.find(connection, **asked, limit=A_PAGE)
        mark_rows(connection, accounts.projection, page.rows, position)
        to_look_at = accounts.find_closed_and_not_empty(connection)
    return render_template(
        "accounts.html",
        page=page,
        asked=asked,
        kept=kept_parameters(*OF_ACCOUNTS[:-1]),
        statuses=accounts.STATUSES,
        to_look_at=to_look_at,
    )


@routes.get("/accounts/new")
def empty_account() -> ResponseReturnValue:
    typed = FormValues({"account_id": request.args.get("account", "")})
    return show(FormState(form=OPEN, typed=typed))


@routes.post("/accounts/new")
def opening() -> ResponseReturnValue:
    return send(OPEN)


@routes.get(f"/accounts/{ACCOUNT}")
def show_one(account_id: str) -> ResponseReturnValue:
    asked = statement_asked()
    models = (account_statement.projection, accounts.projection)
    with reading(*models) as (connection, position):
        account = accounts.find_one(connection, account_id)
        if account is None:
            refuse_parked(connection, accounts.projection, account_id, position)
            raise no_account(account_id, position)
        stream_id = f"account-{account_id}"
        tell_undecided(connection, stream_id)
        page = account_statement.find(connection, account_id, **asked, limit=A_PAGE)
        for model in models:
            find_mark(connection, model, stream_id, position)
    return render_template(
        "account.html",
        account=account,
        page=page,
        asked=asked,
        kept={"account_id": account_id, **kept_parameters("sort")},
        actions=forms_offered("accounts", account),
    )


def ask(action: Action, account_id: str) -> ResponseReturnValue:
    with reading(accounts.projection) as (connection, position):
        account = accounts.find_one(connection, account_id)
        if account is None:
            refuse_parked(connection, accounts.projection, account_id, position)
            raise no_account(account_id, position)
        mark_one(connection, accounts.projection, account, position)
    return show(form_for(action, account))


add_addresses(routes, f"/accounts/{ACCOUNT}", ask)
