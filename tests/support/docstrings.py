"""Whether a docstring says what a number, a text or bytes are, and what is returned."""

import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from typing import Any

NUMBER = (
    "attempts|bytes|characters|chunks?|columns?|commands|count|deaths|events|figure|findings?"
    "|generation|index|number|numbers|positions?|rows|runs|seals|seconds|streams"
    "|times|versions?"
)
TEXT = (
    "SQL|address|base64|category|character|clause|cursor|fields?|hexadecimal|ids?|JSON"
    "|keys?|message|names?|path|principal|scope|sentence|sequence|source|status|streams?"
    "|texts?|types?|UUID|value|versions?|words?"
)
BYTES = r"bytes|digest|hash|HMAC|SHA-256"
FORMS = {int: NUMBER, float: NUMBER, str: TEXT + r"|`[^`]+`", bytes: BYTES}
"""The words, as a pattern, by which a docstring tells the unit or form of a type."""

UNIT_IN_NAME = re.compile(r"(^|_)(seconds|bytes|hours)(_|$)|^count$")


@dataclass(frozen=True, slots=True)
class DescribedObject:
    """
    Something public with a docstring.

    *fields* has what its callers give or read, by name, and *returned* what a call
    returns (None for a class), each with its type.
    """

    name: str
    doc: str
    fields: Mapping[str, Any]
    returned: Any


def plain_types(hint: Any) -> set[type]:
    """Return those of int, float, str and bytes that a value of *hint* is made of."""
    if hint in FORMS:
        return {hint}
    origin, inside = typing.get_origin(hint), typing.get_args(hint)
    # What a function is called with is told where that function is.
    if origin is None or origin in (Callable, type) or hint is Any:
        return set()
    return set().union(*map(plain_types, inside))


def says_form(text: str, plain: set[type]) -> bool:
    """Return True if a word in *text* tells a unit or form of one of *plain*."""
    pattern = "|".join(FORMS[kind] for kind in plain)
    return re.search(rf"(?<![\w*])({pattern})(?![\w*])", text) is not None


def clauses(doc: str) -> list[str]:
    """Return the clauses of a docstring; a name and a colon begin the clause."""
    text = re.sub(r"(\*\w+\*):", r"\1", " ".join(doc.split()))
    return re.split(r"[.,;:!?](?=\s|$)| - ", text)


def unsaid_fields(described: DescribedObject, known: Mapping[str, str]) -> list[str]:
    """
    Return the fields of which no unit or form is said.

    It is said by a clause that has the name in stars and a word of `FORMS`; by the
    name itself; or once for all, in *known*, for the name or several of it.
    """
    return [
        name
        for name, hint in described.fields.items()
        if (plain := plain_types(hint))
        and not (UNIT_IN_NAME.search(name) or name in known or name[:-1] in known)
        and not any(
            f"*{name}*" in clause and says_form(clause, plain)
            for clause in clauses(described.doc)
        )
    ]


def says_result(described: DescribedObject) -> bool:
    """Return True if the sentence on what is returned tells its unit or form."""
    plain = plain_types(described.returned)
    sentences = re.split(r"\.(?:\s|$)", " ".join(described.doc.split()))
    told = [s for s in sentences if re.search(r"\b([Rr]eturns?|[Yy]ield)\b", s)]
    return not plain or any(says_form(s, plain) for s in [*told, sentences[0]])


def described(name: str, thing: Any) -> Iterator[DescribedObject]:
    """Yield a function; or a class, and its methods and properties that are public."""
    if inspect.isfunction(thing):
        hints = typing.get_type_hints(thing)
        result = hints.pop("return", None)
        yield DescribedObject(name, inspect.getdoc(thing) or "", hints, result)
    elif inspect.isclass(thing):
        doc = "\n".join(filter(None, map(own_doc, thing.__mro__[:-1])))
        yield DescribedObject(name, own_doc(thing) and doc, fields_of(thing), None)
        for method, function in methods_of(thing).items():
            yield from described(f"{name}.{method}", function)


def own_doc(kind: type) -> str:
    """Return the docstring of a class; not one that dataclasses or bases wrote."""
    doc = inspect.cleandoc(vars(kind).get("__doc__") or "")
    return "" if doc.startswith(f"{kind.__name__}(") else doc


def fields_of(kind: type) -> dict[str, Any]:
    """
    Return what an object of a class is made of, with types.

    Errors are made by the engine: of them, it is what they keep of that.
    """
    maker = vars(kind).get("__init__")
    if inspect.isfunction(maker) and not is_dataclass(kind):
        hints = typing.get_type_hints(maker)
        parameters = [n for n in inspect.signature(maker).parameters if n in hints]
        if issubclass(kind, BaseException):
            kept = re.findall(r"self\.(\w+) = ", inspect.getsource(maker))
            parameters = [name for name in parameters if name in kept]
        return {name: hints[name] for name in parameters}
    made = {f.name for f in fields(kind) if not f.init} if is_dataclass(kind) else set()
    return {
        name: hint
        for name, hint in typing.get_type_hints(kind).items()
        if name not in made
        and not name.startswith("_")
        and typing.get_origin(hint) is not typing.ClassVar
    }


def methods_of(kind: type) -> dict[str, Callable[..., Any]]:
    """Return the public methods and properties of a class itself, as functions."""
    found = {name: function_of(thing) for name, thing in vars(kind).items()}
    return {
        name: function
        for name, function in found.items()
        if function is not None and not name.startswith("_")
    }


def function_of(thing: Any) -> Callable[..., Any] | None:
    match thing:
        case classmethod() | staticmethod():
            return thing.__func__
        case property():
            return thing.fget
        case cached_property():
            return thing.func
        case types.FunctionType():
            return thing
    return None
