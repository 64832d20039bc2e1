"""The shape of a state as a text: a class that changes has another text."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

NONE_KNOWN: Mapping[type, str] = MappingProxyType({})


def shape_of(kind: Any, known: Mapping[type, str] = NONE_KNOWN) -> str:
    """
    Return what values of *kind* are made of, field by field, down to plain types.

    Names, types and the order of fields count. Docstrings, methods and what `Annotated`
    adds do not, nor which module has a class: a stored value stays as good as it was. A
    class in *known* is represented by its text there.
    """
    return _shape(kind, dict(known))


def _shape(kind: Any, told: dict[type, str]) -> str:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return _shape(arguments[0], told)
    if origin is typing.Literal:
        return repr(list(arguments))
    if origin in (typing.Union, types.UnionType):
        # Python has two classes for it, and which one differs by version.
        return " | ".join(sorted(_shape(a, told) for a in arguments))
    if arguments:
        inner = ", ".join(_shape(a, told) for a in arguments)
        return f"{_shape(origin, told)}[{inner}]"
    if isinstance(kind, typing.NewType):
        return _shape(kind.__supertype__, told)
    return _class_shape(kind, told) if isinstance(kind, type) else str(kind)


def _class_shape(kind: type, told: dict[type, str]) -> str:
    if kind in told:
        return told[kind]
    # From here on what it is made of was said already; a tree has itself in it.
    told[kind] = kind.__qualname__
    if issubclass(kind, Enum):
        inner = ", ".join(repr(member.value) for member in kind)
    else:
        fields = fields_of(kind)
        inner = ", ".join(f"{name}: {_shape(fields[name], told)}" for name in fields)
    return f"{kind.__qualname__}({inner})" if inner else kind.__qualname__


def fields_of(kind: type) -> dict[str, Any]:
    """Return the fields of a class with their types; a plain type has none."""
    if kind.__module__ == "builtins":
        return {}
    hints = typing.get_type_hints(kind)
    if dataclasses.is_dataclass(kind):
        return {field.name: hints[field.name] for field in dataclasses.fields(kind)}
    return hints
