"""Handle a posted form: send its command and show the result, or show it again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from domain.errors import InvalidInput
from eventstore.errors import KeyReused
from tasks.accept import accept
from webapp.authorization import caller
from webapp.command_input import command_from, usable_key, version_of
from webapp.current_shop import the_notation, the_shop
from webapp.date_checks import knows, never_sent
from webapp.forms.choices import (
    NOTHING,
    name_customer,
    name_products,
    with_address,
    with_prices,
)
from webapp.forms.concurrent_edits import expected_version
from webapp.forms.definitions import BUTTONS, FORMS
from webapp.forms.form import Form
from webapp.forms.form_state import FormState, new_key, read_posted, show
from webapp.forms.new_customer import for_known_customer, for_new_customer
from webapp.forms.values import FormValues, data_of, without_empty_lines
from webapp.login.acting import NotCertain, the_user
from webapp.outages import DATABASE_ERRORS, problem_of
from webapp.problems import KINDS, Problem
from webapp.trying.asking import CannotTell, try_command
from webapp.trying.wording import in_words

TRY = "try"
"""The button of every form that shows what it would do, and sends nothing."""

KEY_LOST = (
    "The form came without the key that keeps it from being done twice. "
    "Nothing was sent; look it over and send it again."
)

VERSION_LOST = (
    "The form was changed on its way, or is broken: it no longer says which details it "
    "was filled with. Nothing was sent, and what you typed is still here."
)


def shown_again(message: str) -> Response | None:
    """Return the page of the posted form again, with *message*, or None."""
    for form in FORMS.values():
        if form.endpoint == request.endpoint:
            return show(replace(read_posted(form), message=message), 403)
    return None


def send(form: Form) -> ResponseReturnValue:
    """
    Accept the command posted with *form*, or show the form again with its faults.

    Other buttons of the form change its content and send nothing. Raises the Problem
    that the form has no such button.
    """
    filled = read_posted(form)
    try:
        match find_pressed(form):
            case "add_line":
                return show(with_another_line(filled))
            case "remove_line":
                return show(without_line(filled, request.form["remove_line"]))
            case "fill_address":
                return show(with_known_address(filled))
            case "check":
                return show(checked(filled))
            case "new_customer":
                return show(for_new_customer(filled))
            case "known_customer":
                return show(for_known_customer(filled))
            case "try":
                return try_or_show(filled)
        return accept_or_show(
            replace(filled, typed=without_empty_lines(form, filled.typed))
        )
    except NotCertain:
        return show_for_later(filled, Problem("unavailable"))
    except DATABASE_ERRORS as error:
        problem = problem_of(error)
        if problem is None:
            raise
        return show_for_later(filled, problem)


def find_pressed(form: Form) -> str | None:
    """Return the pressed button of *form*, or None if it is the one that sends."""
    names = [name for name in request.form if name in BUTTONS or name == TRY]
    if not names:
        return None
    if len(names) > 1 or names[0] not in (*form.buttons, TRY):
        raise Problem(
            "bad-request",
            f"{' and '.join(sorted(names))} is not a button of this form."
            " Nothing was sent.",
        )
    return names[0]


def with_another_line(filled: FormState) -> FormState:
    typed = with_prices(filled.typed)
    lines = [*typed.lines, {}]
    focus = f"items.{len(lines) - 1}.product"
    return replace(filled, typed=FormValues(typed.fields, lines), focus=focus)


def without_line(filled: FormState, number: str) -> FormState:
    lines = [
        line for index, line in enumerate(filled.typed.lines) if str(index) != number
    ]
    return replace(
        filled, typed=FormValues(filled.typed.fields, lines or [{}]), focus="add_line"
    )


def checked(filled: FormState) -> FormState:
    """Return the form with the list's prices, and what its lines come to."""
    typed = with_prices(without_empty_lines(filled.form, filled.typed))
    return replace(filled, typed=typed, shows_sums=True, focus="check")


def with_known_address(filled: FormState) -> FormState:
    typed, notice = with_address(filled.typed)
    return replace(filled, typed=typed, notice=notice, focus="fill_address")


def accept_or_show(filled: FormState) -> ResponseReturnValue:
    def accept_it(command: Any, expected_version: int | None) -> ResponseReturnValue:
        try:
            accepted = accept(
                the_shop(),
                command,
                key=usable_key(filled.key),
                principal=the_user(),
                expected_version=expected_version,
            )
        except KeyReused as error:
            return show(was_used_before(filled, error.command_id), 422)
        except Problem as problem:
            again = replace(filled, key=new_key(), message=KEY_LOST)
            return show(again, problem.kind.status)
        return redirect(url_for("commands.fate", command_id=accepted.command_id), 303)

    was_sent = knows(the_shop(), filled.key, caller().name)
    return with_command(filled, accept_it, was_sent)


def try_or_show(filled: FormState) -> ResponseReturnValue:
    """Show what the form would do, with all that is typed; or its faults."""

    def try_it(command: Any, expected_version: int | None) -> ResponseReturnValue:
        try:
            tried = try_command(
                the_shop(),
                command,
                principal=the_user(),
                expected_version=expected_version,
            )
        except CannotTell:
            kind = KINDS["undecidable"]
            return show(replace(filled, message=kind.meaning), kind.status)
        return show(filled, tried=in_words(tried))

    stripped = replace(filled, typed=without_empty_lines(filled.form, filled.typed))
    return with_command(stripped, try_it)


def with_command(
    filled: FormState,
    use: Callable[[Any, int | None], ResponseReturnValue],
    is_known: Callable[[], bool] = never_sent,
) -> ResponseReturnValue:
    """
    Return what *use* makes of the form's command and the version that it expects.

    If there are faults, the form is shown again with them.
    """
    shop = the_shop()
    data, faults = data_of(filled.form, filled.typed, the_notation())
    if filled.form.names_products:
        data["items"], unknown = name_products(data["items"])
        faults += unknown
        if "customer_id" in data:
            data["customer_id"], unknown = name_customer(data["customer_id"])
            faults += unknown
    try:
        expected_version = version_in(filled)
    except Problem as problem:
        return show(
            replace(filled, message=VERSION_LOST, is_broken=True), problem.kind.status
        )
    try:
        command = command_from(
            shop,
            filled.form.command_type,
            {**data, **filled.about},
            faults,
            confirmed=filled.confirmed,
            is_known=is_known,
        )
    except InvalidInput as error:
        return show(replace(filled, faults=error.faults), 422)
    return use(command, expected_version)


def version_in(filled: FormState) -> int | None:
    """Return the form's expected version, or raise the Problem that it is missing."""
    form = filled.form
    # Without it the command would overwrite changes of other users.
    seen = version_of(filled.version) if form.expects_version else None
    if seen is None or form.about is None:
        return seen
    category = the_shop().deciders.of_command(form.command).category
    stream_id = f"{category}-{filled.about[form.about]}"
    return expected_version(filled, stream_id, seen, the_user())


def was_used_before(filled: FormState, first: UUID) -> FormState:
    message = (
        "This form was sent before, with other content, and that one stands. "
        "If you mean both, send this one again."
    )
    return replace(filled, key=new_key(), message=message, first=first)


def show_for_later(filled: FormState, problem: Problem) -> ResponseReturnValue:
    message = {
        "unavailable": "The shop's database is away, so nothing was sent. What you "
        "typed is still here: send it again in a moment.",
        "read-model-missing": "The read model that fills in this form is missing, "
        "so nothing was sent. What you typed is still here: say which lines are not on "
        "the list, fill in their prices yourself, and send it again.",
        "outcome-unknown": "The connection was lost before the answer came. Send it "
        "again as it is: if it was taken already, it will not be done twice.",
    }[problem.name]
    again = replace(filled, message=message)
    page = show(again, problem.kind.status, offer=NOTHING)
    page.headers.update(problem.headers)
    return page
