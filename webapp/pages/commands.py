"""The page of a command, which updates itself until it shows the result."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from domain.errors import StateRejection
from eventstore.connection import driver_connection
from eventstore.journal import operator_actions
from eventstore.journal.effects import FollowUp, find_effects
from eventstore.journal.entries import CausedEvent, Entry, decrypt_entry
from readmodels import order_details
from readmodels.order_details import OrderDetailsView
from webapp.authorization import may_see_commands_of
from webapp.current_shop import the_notation, the_shop
from webapp.forms.choices import items_as_typed, lines_as_typed, offer_for
from webapp.forms.concurrent_edits import merge_form
from webapp.forms.definitions import FORMS
from webapp.forms.form import Action, Form
from webapp.forms.form_state import FormState
from webapp.forms.values import values_for
from webapp.journal_source import ask_journal, find_command, no_command
from webapp.login.acting import may_open, may_send, the_user
from webapp.outages import DATABASE_ERRORS, problem_of
from webapp.parked_rows import mark_one
from webapp.position_asked import remember
from webapp.read_connection import reading

LONG = timedelta(seconds=10)
STATE_REJECTIONS = {rule.__name__ for rule in StateRejection.__subclasses__()}
"""Rules that no other input can satisfy: the order's page may have been stale."""

routes = Blueprint("commands", __name__)


@routes.get("/commands/<uuid:command_id>")
def fate(command_id: UUID) -> ResponseReturnValue:
    entry, events = find_command(command_id)
    if entry is None or not may_see_commands_of(entry.principal):
        raise no_command(command_id)
    registered = ""
    if entry.type == "PlaceFirstOrder" and entry.status == "succeeded":
        registered = entry.stream_id.partition("-")[2]
        entry, events = find_first_order(entry)
    sent = sent_with(entry)
    remember(entry.position)
    asks_again = "HX-Request" in request.headers
    # A time so far in the future was written before a clock was set back.
    takes_long = not entry.is_scheduled and abs(datetime.now(UTC) - entry.due_at) > LONG
    # Nothing new: the page does not change, and a screen reader stays silent.
    if asks_again and is_news(entry, takes_long) is False:
        return "", 204
    order = order_of(entry)
    filled = form_again(sent, order) if sent and entry.status == "rejected" else None
    both = None
    if filled and sent and is_stale(entry):
        both = merge_form(filled, sent)
        # Without the version seen, sending it again would undo the changes of others.
        filled = both.filled if both else None
    return render_template(
        "command.html" if not asks_again else "fate.html",
        asked_id=command_id,
        entry=sent or entry,
        registered=registered,
        events=events,
        headline=headline_of(entry),
        about=entry.stream_id.partition("-")[2],
        order=order,
        placed=placed_by(entry),
        takes_long=takes_long,
        filled=filled,
        both=both,
        offer=offer_for(filled.form, filled.typed) if filled else None,
    )


@routes.post("/commands/<uuid:command_id>/cancel")
def cancel(command_id: UUID) -> ResponseReturnValue:
    """Cancel a scheduled command; its page says whether that was in time."""
    user = the_user()
    with the_shop().lent() as connection:
        operator_actions.cancel(connection, command_id, by=user, principal=user)
    return redirect(url_for("commands.fate", command_id=command_id), 303)


def find_first_order(entry: Entry) -> tuple[Entry, Sequence[CausedEvent]]:
    """
    Return the command that places the order a customer was registered with by *entry*.

    Until it is there, it is *entry* that waits.
    """
    effects = ask_journal(lambda c: find_effects(driver_connection(c), entry.id))
    for effect in effects:
        if isinstance(effect.message, FollowUp):
            found, events = find_command(effect.message.id)
            if found is not None and found.type == "PlaceOrder":
                return found, events
    return replace(entry, status="accepted"), ()


def headline_of(entry: Entry) -> str:
    """Return the result of a command in a few words, like "Order 7 is shipped"."""
    form = FORMS.get(entry.type)
    category, _, about = entry.stream_id.partition("-")
    if form is None:
        noun, noun_before, participle = entry.type, "", "done"
    else:
        noun = form.noun.format(about=about) or f"{category.capitalize()} {about}"
        noun_before, participle = form.noun_before, form.participle
    if entry.status == "succeeded":
        return f"{noun} is {participle}"
    if entry.is_scheduled:
        verb = "will be"
    elif entry.status == "accepted":
        verb = "is being"
    else:
        verb = "was not"
    return f"{noun_before or noun} {verb} {participle}"


def is_stale(entry: Entry) -> bool:
    """Return whether the stream has changed since the version that the sender saw."""
    return (entry.error or {}).get("rule") == "StaleVersion"


def sent_with(entry: Entry) -> Entry | None:
    """Return the data of *entry* as sent, or None if their subject is forgotten."""
    shop = the_shop()
    masters = shop.deciders.masters
    return ask_journal(lambda c: decrypt_entry(driver_connection(c), entry, masters))


def is_news(entry: Entry, takes_long: bool) -> bool:
    """Return whether a waiting page must be updated."""
    knows_it_takes_long = "long" in request.args
    return entry.status != "accepted" or (takes_long and not knows_it_takes_long)


def order_of(entry: Entry) -> OrderDetailsView | None:
    """Return the order of a rejected *entry*, or None if there is none to show."""
    order_id = entry.data.get("order_id")
    if entry.status != "rejected" or order_id is None:
        return None
    with reading(order_details.projection) as (connection, position):
        order = order_details.find(connection, order_id)
        if order is not None:
            mark_one(connection, order_details.projection, order, position)
    return order


def placed_by(entry: Entry) -> OrderDetailsView | None:
    """
    Return the order that *entry* has placed, or None.

    It has what the command leaves to the price list. Without it the page shows the
    command, so a read model that cannot answer is no fault of this page.
    """
    is_placed = entry.type == "PlaceOrder" and entry.status == "succeeded"
    if not is_placed or not may_open("orders.show_one"):
        return None
    try:
        with reading(order_details.projection) as (connection, position):
            number = int(entry.stream_id.partition("-")[2])
            order = order_details.find(connection, number)
            if order is not None:
                mark_one(connection, order_details.projection, order, position)
            return order
    except DATABASE_ERRORS as error:
        if problem_of(error) is None:
            raise
        return None


def form_again(entry: Entry, order: OrderDetailsView | None) -> FormState | None:
    """
    Return the form of *entry*, filled as sent, with a new key.

    None if the order's state forbids the command, whatever is typed.
    """
    if (entry.error or {}).get("rule") in STATE_REJECTIONS or not may_send(entry.type):
        return None
    form = FORMS.get(entry.type)
    if (
        isinstance(form, Action)
        and form.page == "orders"
        # Then the log tells, which is newer than the list.
        and not is_stale(entry)
        and (order is None or not form.is_offered(order))
    ):
        return None
    filled = form_with(form, entry, order) if form else None
    # A program's command may have no expected version, and so came from no form.
    if filled and filled.form.expects_version and not filled.version:
        return None
    return filled


def form_with(form: Form, entry: Entry, order: OrderDetailsView | None) -> FormState:
    data = entry.data
    if form.names_products:
        data = {**data, "items": items_as_typed(data["items"], order)}
    elif isinstance(form, Action) and form.line_shown and order:
        data = {**data, **lines_as_typed(form, data, order)}
    return FormState(
        form=form,
        typed=values_for(form, data, the_notation()),
        about={form.about: entry.data[form.about]} if form.about else {},
        version=version_now(entry) if form.expects_version else "",
    )


def version_now(entry: Entry) -> str:
    """Return the version for a sender who sends *entry* again."""
    figures = (entry.error or {}).get("figures", {})
    version = figures.get("actual", entry.expected_version)
    return "" if version is None else str(version)
