"""The pages of transfers: the list, one of them, and a new one."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from readmodels import transfers
from webapp.forms.definitions import FORMS
from webapp.forms.form_state import FormState, show
from webapp.forms.submit import send
from webapp.forms.values import FormValues
from webapp.parked_rows import mark_one, mark_rows, refuse_parked
from webapp.problems import no_transfer
from webapp.query_parameters import OF_TRANSFERS, kept_parameters, transfers_asked
from webapp.read_connection import reading, tell_undecided
from webapp.url_converters import TRANSFER as ADDRESS

A_PAGE = 50
TRANSFER = FORMS["TransferMoney"]

routes = Blueprint("transfers", __name__)


@routes.get("/transfers")
def newest() -> ResponseReturnValue:
    asked = transfers_asked()
    with reading(transfers.projection) as (connection, position):
        page = transfers.find(connection, **asked, limit=A_PAGE)
        mark_rows(connection, transfers.projection, page.rows, position)
    return render_template(
        "transfers.html",
        page=page,
        asked=asked,
        kept=kept_parameters(*OF_TRANSFERS[:-1]),
        statuses=transfers.STATUSES,
    )


@routes.get("/transfers/new")
def empty_transfer() -> ResponseReturnValue:
    typed = FormValues({"from_account": request.args.get("from", "")})
    return show(FormState(form=TRANSFER, typed=typed))


@routes.post("/transfers/new")
def asking() -> ResponseReturnValue:
    return send(TRANSFER)


@routes.get(f"/transfers/{ADDRESS}")
def show_one(transfer_id: int) -> ResponseReturnValue:
    with reading(transfers.projection) as (connection, position):
        transfer = transfers.find_one(connection, transfer_id)
        tell_undecided(connection, f"transfer-{transfer_id}")
        if transfer is None:
            refuse_parked(connection, transfers.projection, transfer_id, position)
            raise no_transfer(transfer_id, position)
        mark_one(connection, transfers.projection, transfer, position)
    return render_template("transfer.html", transfer=transfer)
