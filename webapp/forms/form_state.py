"""A form as a page shows it: what was typed, what is wrong, what there is to choose."""

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
    A form as a page shows it.

    *about* is what its address says, like the order; *version* is what the stream was
    at when it was shown, for a form that expects one. *message* tells what keeps it
    from being sent, *notice* what was filled in. One that *is_broken* can be sent no
    more, whatever is typed: it must be opened again.
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
    # What is wrong, in a sentence for each field, from the top of the page; and the
    # same as each field itself says it. Made once: each field of the page asks.
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
        """The address of what an action is about."""
        return url_for(f"{self.form.page}.show_one", **self.about)

    @property
    def subject(self) -> str:
        """What an action is about, like "order 7"."""
        ((name, value),) = self.about.items()
        return f"{name.removesuffix('_id')} {value}"

    def id_of(self, name: str) -> str:
        """Return the id of a field; a page may have several actions with a reason."""
        prefix = self.form.endpoint.partition(".")[2]
        return f"{prefix}-{name}" if self.form.is_action else name

    def value(self, name: str) -> str:
        return self.typed.fields.get(name, "")


def read_posted(form: Form) -> FormState:
    """Return *form* as it was posted."""
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
    """Return the page of a form; what there is to choose from is *offer*, if given."""
    offer = offer or offer_for(filled.form, filled.typed)
    context["is_refused"] = status != 200
    page = render_template("form.html", filled=filled, offer=offer, **context)
    response = make_response(page, status)
    if request.method == "POST":
        # A browser that may not keep it would have to send the form again to show it:
        # going back to it ends at "confirm form resubmission", and what was typed is
        # gone. So it may, until somebody asks for this address again.
        response.headers["Cache-Control"] = "private, no-cache"
    return response
