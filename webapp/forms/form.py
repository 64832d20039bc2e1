"""What a form is: the command that it sends, what it asks for, and its words."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any, ClassVar, get_type_hints

from domain.fields import Text
from webapp.formats import is_amount

LINE_NAME = re.compile(r"items\.([0-9]{1,4})\.([a-z_]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """
    A form for one command: its fields are named as the command's data is.

    What it *needs* is in the data even if nothing was typed for it, so that each
    field that is missing is named. What it is *about* stands in its address. One that
    *expects_version* is refused where somebody else changed what it shows. Its
    *buttons*, beside the one that sends it, change what is in it.

    What became of the command is said with a *noun* and a *participle*: "Order 7 is
    shipped". Without a noun it is what the command's stream is called; *noun_before* is
    for one that gets its number only when it is done.
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
    needs: tuple[str, ...] = ()
    about: str | None = None
    expects_version: bool = False
    buttons: tuple[str, ...] = ()

    @property
    def command_type(self) -> str:
        return self.command.__name__

    @property
    def page(self) -> str:
        """The blueprint that has the form's addresses."""
        return self.endpoint.partition(".")[0]

    def place_of(self, name: str) -> tuple[int, int, int]:
        """Return what sorts a field where the page has it; lines come second."""
        line = LINE_NAME.fullmatch(name)
        if line:
            return 1, int(line[1]), place(line[2], self.line_fields)
        if name.startswith("items"):
            return 1, -1, 0
        return 2 * place(name, self.fields), 0, 0


def place(name: str, names: tuple[str, ...]) -> int:
    return names.index(name) if name in names else len(names)


def no_suggestion(row: Any) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action(Form):
    """
    What can be done with an order or an account: a form with a button, on its page.

    It asks for all that the command has beside what it is *about*; how, follows from
    the class. *is_offered* takes the row that the page shows and says whether the form
    stands there (whether it may be done, the domain decides); *suggest* returns what
    is filled in, by field. The *hint* stands at the field, if there is one field.
    """

    is_action: ClassVar[bool] = True

    about: str
    fields: tuple[str, ...] = field(init=False)
    template: str = "forms/action.html"
    hint: str
    button: str
    is_grave: bool = False
    is_offered: Callable[[Any], bool]
    suggest: Callable[[Any], Mapping[str, Any]] = no_suggestion

    def __post_init__(self) -> None:
        names = (f.name for f in fields(self.command) if f.name != self.about)
        object.__setattr__(self, "fields", tuple(names))

    @property
    def inputs(self) -> "Sequence[Input]":
        """How a page asks for the fields, in the order that the command has them."""
        hints = get_type_hints(self.command, include_extras=True)
        return [
            Input(name, input_type(hints[name]), is_amount(name))
            for name in self.fields
        ]


@dataclass(frozen=True, slots=True)
class Input:
    """
    A field as a page has it.

    *type* is that of an HTML input, or `textarea`; an amount has a unit, the currency.
    """

    name: str
    type: str
    is_amount: bool


def input_type(hint: Any) -> str:
    """Return the type of an HTML input, or `textarea`, for a field of this type."""
    if hint is datetime:
        return "datetime-local"
    if hint is date:
        return "date"
    rules = getattr(hint, "__metadata__", ())
    has_lines = any(isinstance(rule, Text) and rule.has_lines for rule in rules)
    return "textarea" if has_lines else "text"
