"""The pages of accounts: the list, one with its statement, and what moves money."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from readmodels import account_statement, accounts
from readmodels.accounts import AccountView
from webapp.current_shop import the_notation
from webapp.forms.definitions import (
    ACCOUNT_ACTIONS,
    CLOSE,
    DEPOSIT,
    OPEN,
    WITHDRAW,
    AccountAction,
)
from webapp.forms.form_state import FormState, show
from webapp.forms.submit import send
from webapp.forms.values import FormValues, values_for
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

routes = Blueprint("accounts", __name__)


@routes.get("/accounts")
def all_of_them() -> ResponseReturnValue:
    asked = accounts_asked()
    with reading(accounts.projection) as (connection, _):
        page = accounts.find(connection, **asked, limit=A_PAGE)
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
def show_account(account_id: str) -> ResponseReturnValue:
    asked = statement_asked()
    models = (account_statement.projection, accounts.projection)
    with reading(*models) as (connection, position):
        account = accounts.find_one(connection, account_id)
        if account is None:
            raise no_account(account_id, position)
        tell_undecided(connection, f"account-{account_id}")
        page = account_statement.find(connection, account_id, **asked, limit=A_PAGE)
    return render_template(
        "account.html",
        account=account,
        page=page,
        asked=asked,
        kept={"account_id": account_id, **kept_parameters("sort")},
        actions=[form_for(action, account) for action in allowed_actions(account)],
    )


def allowed_actions(account: AccountView) -> tuple[AccountAction, ...]:
    """Return what is offered for *account*; whether it may be, the domain decides."""
    if account.status == accounts.CLOSED:
        return ()
    return (DEPOSIT, WITHDRAW) if account.balance else (DEPOSIT, CLOSE)


def form_for(action: AccountAction, account: AccountView) -> FormState:
    return FormState(
        form=action,
        typed=values_for(action, {}, the_notation()),
        about={"account_id": account.account_id},
    )


def give_address(action: AccountAction) -> None:
    """Let *action* be asked for and sent at an address below its account's."""
    name = action.endpoint.partition(".")[2]
    address = f"/accounts/{ACCOUNT}/{name}"

    @routes.get(address, endpoint=f"{name}_form")
    def ask(account_id: str) -> ResponseReturnValue:
        with reading(accounts.projection) as (connection, position):
            account = accounts.find_one(connection, account_id)
        if account is None:
            raise no_account(account_id, position)
        return show(form_for(action, account))

    @routes.post(address, endpoint=name)
    def submit(account_id: str) -> ResponseReturnValue:
        return send(action)


for action in ACCOUNT_ACTIONS:
    give_address(action)
