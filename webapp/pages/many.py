"""
One thing done with many orders: a form for all of them, and a page of the results.

Each order gets a command of its own, under a key made of the form's and its number. So
the page that follows them needs no memory: it computes their ids again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from domain.errors import Fault, InvalidInput
from eventstore.ids import command_id_for
from eventstore.journal.entries import Entry, find_many
from readmodels import order_details
from readmodels.order_details import OrderDetailsView
from tasks.accept import CommandRequest, accept_many
from webapp.authorization import caller
from webapp.command_input import command_from, version_of
from webapp.current_shop import the_notation, the_shop
from webapp.forms.definitions import FORMS
from webapp.forms.form import Action
from webapp.forms.labels import sentence_beside
from webapp.forms.submit import TRY
from webapp.forms.values import FormValues, data_of, values_for
from webapp.journal_source import ask_journal
from webapp.login.acting import require_sending, the_user
from webapp.parked_rows import mark_rows
from webapp.problems import KINDS, Problem
from webapp.query_parameters import one_of, refuse
from webapp.read_connection import reading
from webapp.trying.asking import CannotTell, try_command
from webapp.trying.wording import TriedWords, in_words

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


@dataclass(slots=True)
class Part:
    """
    One of the orders: what is typed for it, and what is wrong with that.

    *tried* is what would happen to it, where that is asked.
    """

    order: OrderDetailsView
    is_offered: bool
    typed: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)
    tried: TriedWords | None = None


@routes.get("/orders/many")
def ask() -> ResponseReturnValue:
    name = one_of("action", (*ACTIONS, PRINT)) or PRINT
    orders = find_orders(request.args.getlist("order"))
    if name == PRINT:
        return render_template("print/packing_slips.html", orders=orders)
    action = ACTIONS[name]
    require_sending(action.command_type)
    return show(action, [suggested(action, order) for order in orders], str(uuid4()))


def find_orders(written: Sequence[str]) -> list[OrderDetailsView]:
    """Return the orders with these numbers, in their order. Raises a Problem."""
    if not written:
        refuse("no order was ticked")
    if len(written) > MAX_AT_ONCE:
        refuse(f"at most {MAX_AT_ONCE} orders are done at once")
    numbers = [int(text) for text in written if text.isascii() and text.isdecimal()]
    with reading(order_details.projection) as (connection, position):
        found = order_details.find_many(connection, numbers)
        mark_rows(connection, order_details.projection, found, position)
    return found


def suggested(action: Action, order: OrderDetailsView) -> Part:
    """Return an order with the values that its own form would have."""
    is_offered = bool(action.is_offered(order))
    data = action.suggest(order) if is_offered else {}
    return Part(
        order=order,
        is_offered=is_offered,
        typed=values_for(action, data, the_notation()).fields,
        version=str(order.version),
    )


def show(
    action: Action, parts: Sequence[Part], key: str, status: int = 200
) -> ResponseReturnValue:
    page = render_template("many.html", action=action, parts=parts, key=key)
    return page, status


@routes.post("/orders/many")
def send() -> ResponseReturnValue:
    action = ACTIONS.get(request.form.get("action", ""))
    key = request.form.get("key", "")
    if action is None or not is_key(key):
        raise Problem("bad-request", "The form came without its action or its key.")
    require_sending(action.command_type)
    parts = [posted(action, order) for order in find_orders(written_orders())]
    wanted = [request_for(action, part, key) for part in parts]
    if any(one is None for one in wanted):
        return show(action, parts, key, 422)
    ready = [one for one in wanted if one is not None]
    if TRY in request.form:
        return show_tried(action, parts, ready, key)
    accept_many(the_shop(), ready, principal=the_user())
    numbers = [part.order.order_id for part in parts]
    return redirect(url_for("many.fates", key=key, order=numbers), 303)


def show_tried(
    action: Action, parts: Sequence[Part], wanted: Sequence[CommandRequest], key: str
) -> ResponseReturnValue:
    """Show what would happen to each order by itself; nothing is sent."""
    for part, one in zip(parts, wanted, strict=True):
        try:
            tried = try_command(
                the_shop(),
                one.command,
                principal=the_user(),
                expected_version=one.expected_version,
            )
            part.tried = in_words(tried)
        except CannotTell:
            part.problems = {action.fields[0]: KINDS["undecidable"].meaning}
    return show(action, parts, key)


def written_orders() -> Sequence[str]:
    return request.form.getlist("order")


def is_key(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def posted(action: Action, order: OrderDetailsView) -> Part:
    """Return an order with what was typed for it; a field without number is for all."""
    number = order.order_id
    typed = {
        name: request.form.get(f"{name}.{number}", request.form.get(name, "")).strip()
        for name in action.fields
    }
    version = request.form.get(f"version.{number}", "")
    return Part(order=order, is_offered=True, typed=typed, version=version)


def request_for(action: Action, part: Part, key: str) -> CommandRequest | None:
    """Return the command for an order, or None with the part's problems."""
    number = part.order.order_id
    typed = FormValues(dict(part.typed))
    data, faults = data_of(action, typed, the_notation())
    try:
        command = command_from(
            the_shop(), action.command_type, {**data, action.about: number}, faults
        )
        seen = version_of(part.version) if action.expects_version else None
    except InvalidInput as error:
        part.problems = problems_of(error.faults)
        return None
    return CommandRequest(command, key_of(key, number), seen)


def key_of(key: str, number: int) -> str:
    return f"{key}/{number}"


def problems_of(faults: Sequence[Fault]) -> dict[str, str]:
    return {
        fault.field: sentence_beside(fault.field, fault.problem) for fault in faults
    }


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of the command for an order; None: it was never accepted."""

    number: int
    entry: Entry | None

    @property
    def is_over(self) -> bool:
        return self.entry is None or self.entry.status != "accepted"


@routes.get("/orders/many/<uuid:key>")
def fates(key: UUID) -> ResponseReturnValue:
    numbers = [int(text) for text in request.args.getlist("order") if text.isdecimal()]
    ids = {
        number: command_id_for(caller().name, key_of(str(key), number))
        for number in numbers[:MAX_AT_ONCE]
    }
    entries = ask_journal(lambda connection: find_many(connection, list(ids.values())))
    found = [Fate(number, entries.get(ids[number])) for number in ids]
    if not any(fate.entry for fate in found):
        raise Problem("not-found", "There is nothing that was done with these orders.")
    waiting = sum(not fate.is_over for fate in found)
    template = (
        "many_fates.html" if "HX-Request" in request.headers else "many_page.html"
    )
    context: dict[str, Any] = {"fates": found, "waiting": waiting}
    return render_template(template, **context)
