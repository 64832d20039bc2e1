"""A form as shown on a page: its values, faults and choices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from flask import Response, make_response, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from domain.errors import Fault
from domain.money import line_amounts, rounded_total
from webapp.current_shop import the_notation
from webapp.forms.choices import Offer, offer_for
from webapp.forms.form import Form
from webapp.forms.labels import sentence, sentence_beside
from webapp.forms.values import FormValues, data_of, read_values
from webapp.refusals import say_amounts


def new_key() -> str:
    return str(uuid4())


@dataclass(frozen=True, slots=True, kw_only=True)
class FormState:
    """
    A form as shown on a page.

    *confirmed* are the fields of which its sender means what is doubtful.
    *about* is the parameter in its address, like the order; *version* is the stream's
    when it was shown, for a form that expects one. *message* says why it was not sent,
    *notice* what was filled in. One that *is_broken* cannot be sent any more: it must
    be opened again.
    """

    form: Form
    typed: FormValues
    about: Mapping[str, Any] = field(default_factory=dict)
    version: str = ""
    key: str = field(default_factory=new_key)
    message: str = ""
    notice: str = ""
    first: UUID | None = None
    confirmed: Sequence[str] = ()
    is_broken: bool = False
    shows_sums: bool = False
    faults: Sequence[Fault] = ()
    focus: str = ""
    # The faults as a sentence for each field, in the order of the page, and as texts
    # beside the fields. Made once, since each field of the page reads them.
    sentences: Mapping[str, str] = field(init=False)
    problems: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        faults = sorted(self.faults, key=lambda fault: self.form.place_of(fault.field))
        told = [(fault.field, problem_here(fault)) for fault in faults]
        sentences = {name: sentence(name, problem) for name, problem in told}
        problems = {name: sentence_beside(name, problem) for name, problem in told}
        object.__setattr__(self, "sentences", sentences)
        object.__setattr__(self, "problems", problems)

    @property
    def doubts(self) -> Sequence[Fault]:
        """What is asked back: its fields can be confirmed."""
        return [fault for fault in self.faults if fault.doubtful]

    @property
    def title(self) -> str:
        return self.form.title.format(**self.about)

    @property
    def action(self) -> str:
        return url_for(self.form.endpoint, **self.about)

    @property
    def above(self) -> str:
        """The address of the row that an action is about."""
        return url_for(f"{self.form.page}.show_one", **self.about)

    @property
    def subject(self) -> str:
        """The name of the row that an action is about, like "order 7"."""
        ((name, value),) = self.about.items()
        return f"{name.removesuffix('_id')} {value}"

    def id_of(self, name: str) -> str:
        """Return the id of a field; a page may have several actions with a reason."""
        prefix = self.form.endpoint.partition(".")[2]
        return f"{prefix}-{name}" if self.form.is_action else name

    def value(self, name: str) -> str:
        return self.typed.fields.get(name, "")


def problem_here(fault: Fault) -> str:
    """
    Return what a fault says, the amounts of a doubt as the shop writes them.

    Any other may repeat what was typed, which stays as it is.
    """
    if not fault.doubtful:
        return fault.problem
    return say_amounts(fault.problem, the_notation())


class Sums(NamedTuple):
    """What an order comes to, in minor units: by line, and with all discounts."""

    amounts: Sequence[int]
    freight: int
    total: int


def read_posted(form: Form) -> FormState:
    """Return the posted state of *form*."""
    return state_of(form, request.form, request.view_args or {})


def state_of(
    form: Form, posted: MultiDict[str, str], about: Mapping[str, Any]
) -> FormState:
    """Return the state of *form* in the fields that were *posted*."""
    return FormState(
        form=form,
        typed=read_values(form, posted),
        about=dict(about),
        version=posted.get("version", "") if form.expects_version else "",
        key=posted.get("key", ""),
        confirmed=posted.getlist("confirmed"),
    )


def sums_of(filled: FormState) -> Sums | None:
    """Return what the lines of an order come to; None where a value is missing."""
    data, faults = data_of(filled.form, filled.typed, the_notation())
    lines = data.get("items", [])
    if faults or not all({"quantity", "unit_price"} <= line.keys() for line in lines):
        return None
    priced = [
        (line["unit_price"], line["quantity"], Decimal(line.get("discount", 0)))
        for line in lines
    ]
    freight = data.get("freight", 0)
    total = rounded_total(priced, Decimal(data.get("discount", 0)))
    return Sums(line_amounts(priced), freight, total + freight)


def show(
    filled: FormState, status: int = 200, *, offer: Offer | None = None, **context: Any
) -> Response:
    """Return the page of a form, with the choices of *offer*, if given."""
    offer = offer or offer_for(filled.form, filled.typed)
    context["is_refused"] = status != 200
    context["sums"] = sums_of(filled) if filled.shows_sums else None
    page = render_template("form.html", filled=filled, offer=offer, **context)
    return let_back(make_response(page, status))


def let_back(response: Response) -> Response:
    """
    Let the browser cache a form that was sent, until the next request for its address.

    Without a cache, going back to it would have to send it again: the browser shows
    "confirm form resubmission", and the typed values are lost.
    """
    if request.method == "POST":
        response.headers["Cache-Control"] = "private, no-cache"
    return response
