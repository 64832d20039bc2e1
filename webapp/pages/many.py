"""
One thing done with many orders: a form for all of them, and a page of the results.

Each order gets a command of its own, under a key made of the form's and its number. So
the page that follows them needs no memory: it computes their ids again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from flask import (
    Blueprint,
    Response,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from domain.errors import InvalidInput
from eventstore.ids import command_id_for
from eventstore.journal.entries import Entry, find_many
from readmodels import order_details
from readmodels.order_details import OrderDetailsView
from tasks.accept import CommandRequest, accept_many
from webapp.authorization import caller
from webapp.command_input import command_from
from webapp.current_shop import the_notation, the_shop
from webapp.forms.actions import form_for
from webapp.forms.definitions import FORMS
from webapp.forms.form import Action
from webapp.forms.form_state import FormState, let_back, new_key
from webapp.forms.submit import TRY, version_in
from webapp.forms.values import FormValues, data_of
from webapp.journal_source import ask_journal
from webapp.login.acting import may_send, require_sending, the_user
from webapp.login.held_forms import PAGES
from webapp.parked_rows import mark_rows
from webapp.problems import KINDS, Problem
from webapp.query_parameters import one_of, refuse
from webapp.read_connection import reading
from webapp.trying.asking import CannotTell, try_command
from webapp.trying.wording import TriedWords, in_words
from webapp.url_converters import numbers_of_orders

MAX_AT_ONCE = 200
"""A page of so many forms is as large as a list of all that can be ticked on four."""

ACTIONS: Mapping[str, Action] = {
    form.endpoint.partition(".")[2]: form
    for form in (FORMS["ShipOrder"], FORMS["ReceivePayment"], FORMS["CancelOrder"])
    if isinstance(form, Action)
}
"""What can be done with many orders, by the name in the address."""
PRINT = "print"

routes = Blueprint("many", __name__)


@dataclass(frozen=True, slots=True)
class Part:
    """
    One of the orders, and its form with what is typed.

    *tried* is what would happen to it, where that is asked.
    """

    order: OrderDetailsView
    filled: FormState
    is_offered: bool = True
    tried: TriedWords | None = None


@routes.get("/orders/many")
def ask() -> ResponseReturnValue:
    if not request.args:
        # Whoever was asked to log in, and sent nothing that could be shown again.
        return redirect(url_for("orders.newest"))
    name = one_of("action", (*ACTIONS, PRINT)) or PRINT
    orders = find_orders(request.args.getlist("order"))
    if name == PRINT:
        return render_template("print/packing_slips.html", orders=orders)
    action = ACTIONS[name]
    require_sending(action.command_type)
    parts = [
        Part(order, form_for(action, order), bool(action.is_offered(order)))
        for order in orders
    ]
    return show(action, parts, new_key())


def find_orders(written: Sequence[str]) -> list[OrderDetailsView]:
    """Return the orders with these numbers, in their order. Raises a Problem."""
    if not written:
        refuse("no order was ticked")
    if len(written) > MAX_AT_ONCE:
        refuse(f"at most {MAX_AT_ONCE} orders are done at once")
    numbers = numbers_of_orders(written)
    with reading(order_details.projection) as (connection, position):
        found = order_details.find_many(connection, numbers)
        mark_rows(connection, order_details.projection, found, position)
    if not found:
        refuse("none of these orders is here")
    return found


def show(
    action: Action,
    parts: Sequence[Part],
    key: str,
    *,
    status: int = 200,
    message: str = "",
) -> Response:
    page = render_template(
        "many.html", action=action, parts=parts, key=key, message=message
    )
    return let_back(make_response(page, status))


def show_again(
    fields: MultiDict[str, str], message: str, status: int = 200
) -> Response | None:
    """Return the page as it was typed, for who may send it."""
    action = ACTIONS.get(fields.get("action", ""))
    if action is None or not may_send(action.command_type):
        return None
    orders = find_orders(fields.getlist("order"))
    parts = [posted(action, order, fields) for order in orders]
    return show(action, parts, fields.get("key", ""), status=status, message=message)


PAGES["many.send"] = show_again


@routes.post("/orders/many")
def send() -> ResponseReturnValue:
    action = ACTIONS.get(request.form.get("action", ""))
    key = request.form.get("key", "")
    if action is None or not is_key(key):
        raise Problem("bad-request", "The form came without its action or its key.")
    require_sending(action.command_type)
    orders = find_orders(request.form.getlist("order"))
    asked = [request_for(posted(action, order, request.form), key) for order in orders]
    parts = [part for part, _ in asked]
    ready = [one for _, one in asked if one is not None]
    if len(ready) < len(parts):
        return show(action, parts, key, status=422)
    if TRY in request.form:
        return show(action, list(map(try_part, parts, ready)), key)
    answers = accept_many(the_shop(), ready, principal=the_user())
    numbers = [order.order_id for order in orders]
    unlike = [n for n, one in zip(numbers, answers, strict=True) if not one.is_same]
    to = url_for("many.fates", key=key, order=numbers, unlike=unlike)
    return redirect(to, 303)


def try_part(part: Part, wanted: CommandRequest) -> Part:
    """Return *part* with what would happen to its order by itself."""
    try:
        tried = try_command(
            the_shop(),
            wanted.command,
            principal=the_user(),
            expected_version=wanted.expected_version,
        )
    except CannotTell:
        told = replace(part.filled, message=KINDS["undecidable"].meaning)
        return replace(part, filled=told)
    return replace(part, tried=in_words(tried))


def is_key(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def posted(action: Action, order: OrderDetailsView, fields: Mapping[str, str]) -> Part:
    """Return an order with what was typed for it; a field without number is for all."""
    number = order.order_id
    typed = {
        name: fields.get(f"{name}.{number}", fields.get(name, "")).strip()
        for name in action.fields
    }
    filled = FormState(
        form=action,
        typed=FormValues(typed),
        about={action.about: number},
        version=fields.get(f"version.{number}", ""),
    )
    return Part(order, filled)


def request_for(part: Part, key: str) -> tuple[Part, CommandRequest | None]:
    """Return the command for an order, or None and the part with its faults."""
    filled = part.filled
    data, faults = data_of(filled.form, filled.typed, the_notation())
    try:
        command = command_from(
            the_shop(), filled.form.command_type, {**data, **filled.about}, faults
        )
    except InvalidInput as error:
        return replace(part, filled=replace(filled, faults=error.faults)), None
    its_key = key_of(key, part.order.order_id)
    version = version_in(replace(filled, key=its_key))
    return part, CommandRequest(command, its_key, version)


def key_of(key: str, number: int) -> str:
    return f"{key}/{number}"


@dataclass(frozen=True, slots=True)
class Fate:
    """
    What became of the command for an order; None: it was never accepted.

    One that is *unlike* what was sent last was sent before, and stands.
    """

    number: int
    entry: Entry | None
    is_unlike: bool = False

    @property
    def is_over(self) -> bool:
        return self.entry is None or self.entry.status != "accepted"


@routes.get("/orders/many/<uuid:key>")
def fates(key: UUID) -> ResponseReturnValue:
    numbers = numbers_of_orders(request.args.getlist("order"))[:MAX_AT_ONCE]
    ids = {
        number: command_id_for(caller().name, key_of(str(key), number))
        for number in numbers
    }
    entries = ask_journal(lambda connection: find_many(connection, list(ids.values())))
    unlike = numbers_of_orders(request.args.getlist("unlike"))
    found = [Fate(n, entries.get(its_id), n in unlike) for n, its_id in ids.items()]
    if not any(fate.entry for fate in found):
        raise Problem("not-found", "There is nothing that was done with these orders.")
    waiting = sum(not fate.is_over for fate in found)
    template = (
        "many_fates.html" if "HX-Request" in request.headers else "many_page.html"
    )
    return render_template(template, fates=found, waiting=waiting)
