"""The class of a form: its command, its fields and its texts."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, ClassVar, get_type_hints

from domain.fields import Text
from webapp.formats import is_amount

LINE_NAME = re.compile(r"(items|lines)\.([0-9]{1,4})\.([a-z_]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """
    A form for one command: its fields have the names of the command's data.

    Fields that it *needs* are in the data even if they are empty, so that each missing
    one is named. The field that it is *about* is in its address. If it
    *expects_version*, it is refused after another user's change of what it is about. It
    *replaces* what it shows, or else adds to it. Its *buttons* change the form's
    content without sending it. What was typed into fields that another form has, which
    it becomes by a button, it *keeps* unseen.

    Its lines, if it has any, are the data's list *lines_in*; a line of which only
    *line_keys* are filled in does not count. Those *line_shown* are on the page only.

    A command's result is described with a *noun* and a *participle*: "Order 7 is
    shipped". The default noun is the name of the stream; *noun_before* is for a command
    that gets its number only when it runs.
    """

    is_action: ClassVar[bool] = False

    command: type[Any]
    endpoint: str
    title: str
    participle: str
    noun: str = ""
    noun_before: str = ""
    template: str
    fields: tuple[str, ...]
    line_fields: tuple[str, ...] = ()
    line_keys: tuple[str, ...] = ()
    line_shown: tuple[str, ...] = ()
    lines_in: str = "items"
    needs: tuple[str, ...] = ()
    about: str | None = None
    expects_version: bool = False
    replaces: bool = False
    buttons: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()

    @property
    def command_type(self) -> str:
        return self.command.__name__

    @property
    def names_products(self) -> bool:
        """Return whether products are typed in its lines, not only shown."""
        return "product" in self.line_fields and "product" not in self.line_shown

    @property
    def page(self) -> str:
        """The blueprint that has the form's addresses."""
        return self.endpoint.partition(".")[0]

    def place_of(self, name: str) -> tuple[int, int, int]:
        """Return the sort key of a field by its place on the page."""
        line = LINE_NAME.fullmatch(name)
        if line:
            return 1, int(line[2]), place(line[3], self.line_fields)
        if name.startswith(self.lines_in):
            return 1, -1, 0
        return 2 * place(name, self.fields), 0, 0


def place(name: str, names: tuple[str, ...]) -> int:
    return names.index(name) if name in names else len(names)


def always(row: Any) -> bool:
    return True


def no_suggestion(row: Any) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Form):
    """
    An action on an order or an account: a form with a button, on the row's page.

    It has all fields of the command but the one it is *about*; their inputs follow from
    the command's class, unless it has *own_fields* and a template of its own.
    *is_offered* takes the row and returns whether its page has the form (whether it is
    permitted, the domain decides); *suggest* returns values to fill in, by field, and
    *concerns* what else of the row its sender relies on, if that is more. The *hint* is
    shown at the field if there is only one. One that *stands_apart*, or that is not
    what *is_next*, is a link on the row's page, to a page of its own; the *link* is
    called so, or as the button.
    """

    is_action: ClassVar[bool] = True

    about: str
    fields: tuple[str, ...] = field(init=False)
    own_fields: tuple[str, ...] = ()
    stands_apart: bool = False
    link: str = ""
    is_next: Callable[[Any], bool] = always
    template: str = "forms/action.html"
    hint: str
    button: str
    is_grave: bool = False
    is_offered: Callable[[Any], bool]
    suggest: Callable[[Any], Mapping[str, Any]] = no_suggestion
    concerns: Callable[[Any], Any] | None = None

    def __post_init__(self) -> None:
        names = [f.name for f in fields(self.command) if f.name != self.about]
        object.__setattr__(self, "fields", self.own_fields or tuple(names))

    @property
    def inputs(self) -> "Sequence[Input]":
        """The inputs of the fields, in the order of the command's fields."""
        hints = get_type_hints(self.command, include_extras=True)
        return [
            Input(name, input_type(name, hints[name]), is_amount(name))
            for name in self.fields
        ]


@dataclass(frozen=True, slots=True)
class Input:
    """
    A field on a page.

    *type* is that of an HTML input, or `textarea`; an amount has a unit, the currency.
    What the page fills in itself is `hidden`.
    """

    name: str
    type: str
    is_amount: bool


def input_type(name: str, hint: Any) -> str:
    """Return the type of an HTML input, or `textarea`, for a field of this type."""
    if name == "customer_id":
        # It is the one of the row that the form is about.
        return "hidden"
    if hint is datetime:
        return "datetime-local"
    if hint is date:
        return "date"
    rules = getattr(hint, "__metadata__", ())
    has_lines = any(isinstance(rule, Text) and rule.has_lines for rule in rules)
    return "textarea" if has_lines else "text"
