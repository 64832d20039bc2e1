"""The personal fields of a class, and their placeholders once forgotten."""

import dataclasses
import types
import typing
from functools import cache
from typing import Any, NoReturn

from eventstore.errors import UndeclaredField
from eventstore.type_shape import fields_of

PLACEHOLDER = "(forgotten)"
"""The placeholder of a mandatory text."""


class UndeclaredValue:
    """The value of a personal field for a reader that has not declared it."""

    __slots__ = ()

    def refuse(self, *_: object) -> NoReturn:
        raise UndeclaredField

    __getattr__ = __str__ = __format__ = __bool__ = __iter__ = __len__ = refuse
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __hash__ = refuse
    __add__ = __radd__ = __getitem__ = __contains__ = __int__ = refuse

    def __repr__(self) -> str:
        # It appears in the text of errors.
        return "(undeclared)"


@cache
def personal_fields(kind: type) -> frozenset[str]:
    """
    Return the names of the fields of *kind* that are marked `personal`.

    Raises TypeError if a nested class has such a field and the field that holds it is
    not marked itself: its value would be written in the clear.
    """
    if not dataclasses.is_dataclass(kind):
        return frozenset()
    marked = frozenset(
        field.name for field in dataclasses.fields(kind) if is_marked(field)
    )
    for name, held in fields_of(kind).items():
        if name not in marked and holds_personal(held):
            raise TypeError(
                f"{kind.__qualname__}.{name} holds personal fields: mark it, too,"
                ' with field(metadata={"personal": True})'
            )
    return marked


def is_marked(field: "dataclasses.Field[Any]") -> bool:
    return bool(field.metadata.get("personal"))


def holds_personal(kind: Any) -> bool:
    """Return whether values of *kind* have a personal field, at any depth."""
    return any(
        is_marked(field)
        for inner in classes_in(kind, set())
        for field in dataclasses.fields(inner)
    )


def classes_in(kind: Any, seen: set[type]) -> set[type]:
    """Return the dataclasses that values of *kind* are made of."""
    for named in classes_named_in(kind) - seen:
        seen.add(named)
        for inner in fields_of(named).values():
            classes_in(inner, seen)
    return seen


def classes_named_in(kind: Any) -> set[type]:
    """Return the dataclasses that *kind* itself names, without nested ones."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return {kind}
    return {
        named
        for argument in typing.get_args(kind)
        for named in classes_named_in(argument)
    }


@cache
def placeholders(kind: type, word: str = PLACEHOLDER) -> dict[str, Any]:
    """
    Return the personal fields of *kind* once forgotten, as plain data.

    An optional field is left out; others are *word*, or an object of such words.
    """
    hints = fields_of(kind)
    return {name: placeholder(hints[name], word) for name in personal_fields(kind)}


def placeholder(kind: Any, word: str = PLACEHOLDER) -> Any:
    """
    Return the plain data of a forgotten value of *kind*.

    Raises TypeError for a kind that *word* cannot replace: it must be optional.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return placeholder(arguments[0], word)
    if origin in (typing.Union, types.UnionType) and type(None) in arguments:
        return None
    if isinstance(kind, typing.NewType):
        return placeholder(kind.__supertype__, word)
    if kind is str:
        return word
    if origin in (list, tuple, set, frozenset):
        return []
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return {
            name: placeholder(inner, word) for name, inner in fields_of(kind).items()
        }
    raise TypeError(f"a personal field of {kind} must be optional, to be forgotten")
