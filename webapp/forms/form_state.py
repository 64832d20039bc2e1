"""A form as shown on a page: its values, faults and choices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from flask import Response, make_response, render_template, request, url_for

from domain.errors import Fault
from webapp.forms.choices import Offer, offer_for
from webapp.forms.form import Form
from webapp.forms.labels import sentence, sentence_beside
from webapp.forms.values import FormValues, read_values


def new_key() -> str:
    return str(uuid4())


@dataclass(frozen=True, slots=True, kw_only=True)
class FormState:
    """
    A form as shown on a page.

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
    is_broken: bool = False
    faults: Sequence[Fault] = ()
    focus: str = ""
    # The faults as a sentence for each field, in the order of the page, and as texts
    # beside the fields. Made once, since each field of the page reads them.
    sentences: Mapping[str, str] = field(init=False)
    problems: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        faults = sorted(self.faults, key=lambda fault: self.form.place_of(fault.field))
        object.__setattr__(
            self, "sentences", {f.field: sentence(f.field, f.problem) for f in faults}
        )
        object.__setattr__(
            self,
            "problems",
            {f.field: sentence_beside(f.field, f.problem) for f in faults},
        )

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


def read_posted(form: Form) -> FormState:
    """Return the posted state of *form*."""
    return FormState(
        form=form,
        typed=read_values(form, request.form),
        about=dict(request.view_args or {}),
        version=request.form.get("version", "") if form.expects_version else "",
        key=request.form.get("key", ""),
    )


def show(
    filled: FormState, status: int = 200, *, offer: Offer | None = None, **context: Any
) -> Response:
    """Return the page of a form, with the choices of *offer*, if given."""
    offer = offer or offer_for(filled.form, filled.typed)
    context["is_refused"] = status != 200
    page = render_template("form.html", filled=filled, offer=offer, **context)
    response = make_response(page, status)
    if request.method == "POST":
        # Without a cache, going back to this page would have to send the form again:
        # the browser shows "confirm form resubmission", and the typed values are lost.
        # So the browser may cache it until the next request for this address.
        response.headers["Cache-Control"] = "private, no-cache"
    return response
