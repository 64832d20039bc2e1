"""What becomes of a posted form: a command and its fate, or the form again."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from domain.errors import Fault, InvalidInput
from eventstore.errors import KeyReused
from tasks.accepting import accept
from webapp.away import DATABASE_ERRORS, DatabaseError, problem_of
from webapp.forms import FORMS, Form, Typed, data_of, typed_in, without_empty_lines
from webapp.input import command_from, usable_key
from webapp.problems import Problem
from webapp.wiring import LOCAL, the_shop
from webapp.wording import sentence, sentence_beside

KEY_LOST = (
    "The form came without the key that keeps it from being done twice. "
    "Nothing was sent; look it over and send it again."
)


def new_key() -> str:
    return str(uuid4())


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A form as a page shows it; *about* is what its address says, like the order."""

    form: Form
    typed: Typed
    about: dict[str, Any] = field(default_factory=dict)
    key: str = field(default_factory=new_key)
    message: str = ""
    first: UUID | None = None
    faults: Sequence[Fault] = ()
    focus: str = ""

    @property
    def title(self) -> str:
        return self.form.title.format(**self.about)

    @property
    def action(self) -> str:
        return url_for(self.form.endpoint, **self.about)

    @property
    def sentences(self) -> dict[str, str]:
        """What is wrong, in a sentence for each field, from the top of the page."""
        faults = sorted(self.faults, key=lambda fault: self.form.place_of(fault.field))
        return {fault.field: sentence(fault.field, fault.problem) for fault in faults}

    @property
    def problems(self) -> dict[str, str]:
        """The same, as each field itself says it."""
        return {
            fault.field: sentence_beside(fault.field, fault.problem)
            for fault in self.faults
        }

    def value(self, name: str) -> str:
        return self.typed.fields.get(name, "")


def show(filled: Filled, status: int = 200, **context: Any) -> Response:
    return make_response(render_template("form.html", filled=filled, **context), status)


def posted(form: Form) -> Filled:
    """Return *form* as it was posted."""
    return Filled(
        form=form,
        typed=typed_in(form, request.form),
        about=dict(request.view_args or {}),
        key=request.form.get("key", ""),
    )


def shown_again(message: str) -> Response | None:
    """Return the page of the form that was posted, refused, with *message*."""
    for form in FORMS:
        if form.endpoint == request.endpoint:
            return show(replace(posted(form), message=message), 403)
    return None


def send(form: Form) -> ResponseReturnValue:
    """Accept the command that was posted with *form*, or show what keeps it from it."""
    filled = posted(form)
    if "add_line" in request.form:
        return show(with_another_line(filled))
    if "remove_line" in request.form:
        return show(without_line(filled, request.form["remove_line"]))
    return accept_or_show(replace(filled, typed=without_empty_lines(filled.typed)))


def with_another_line(filled: Filled) -> Filled:
    lines = [*filled.typed.lines, {}]
    focus = f"items.{len(lines) - 1}.product"
    return replace(filled, typed=Typed(filled.typed.fields, lines), focus=focus)


def without_line(filled: Filled, number: str) -> Filled:
    lines = [
        line for index, line in enumerate(filled.typed.lines) if str(index) != number
    ]
    return replace(
        filled, typed=Typed(filled.typed.fields, lines or [{}]), focus="add_line"
    )


def accept_or_show(filled: Filled) -> ResponseReturnValue:
    shop = the_shop()
    data, faults = data_of(filled.form, filled.typed, shop.settings.currency)
    try:
        accepted = accept(
            shop,
            command_from(shop, filled.form.command, {**data, **filled.about}, faults),
            key=usable_key(filled.key),
            principal=LOCAL,
        )
    except InvalidInput as error:
        return show(replace(filled, faults=error.faults), 422)
    except KeyReused as error:
        return show(used_before(filled, error.command_id), 422)
    except Problem as problem:
        return show(
            replace(filled, key=new_key(), message=KEY_LOST), problem.kind.status
        )
    except DATABASE_ERRORS as error:
        return show_for_later(filled, error)
    return redirect(url_for("commands.fate", command_id=accepted.command_id), 303)


def used_before(filled: Filled, first: UUID) -> Filled:
    message = (
        "This form was sent before, with other content, and that one stands. "
        "If you mean both, send this one again."
    )
    return replace(filled, key=new_key(), message=message, first=first)


def show_for_later(filled: Filled, error: DatabaseError) -> ResponseReturnValue:
    problem = problem_of(error)
    if problem is None:
        raise error
    message = {
        "unavailable": "The shop's database is away, so nothing was sent. What you "
        "typed is still here: send it again in a moment.",
        "outcome-unknown": "The connection was lost before the answer came. Send it "
        "again as it is: if it was taken already, it will not be done twice.",
    }[problem.name]
    page = show(replace(filled, message=message), problem.kind.status)
    page.headers.update(problem.headers)
    return page
