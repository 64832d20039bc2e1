"""
Which errors of the engine a function raises, as its code and what it calls show.

It is a lower bound: calls of functions that were given as values are not followed.
"""

import ast
import builtins
import inspect
import textwrap
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from eventstore import EventStoreError
from tests.support.docstrings import function_of

Function = Callable[..., Any]
Errors = set[type[EventStoreError]]

_known: dict[tuple[Function, type | None], Errors] = {}


def raised_errors(function: Function, owner: type | None = None) -> Errors:
    """Return the errors that *function*, perhaps a method of *owner*, raises."""
    place = (function, owner)
    if place not in _known:
        _known[place] = set()  # of a function that calls itself
        _known[place] = Body(function, owner).raised()
    return _known[place]


@dataclass(slots=True)
class Body:
    """The code of one function of the engine, and what its names stand for."""

    function: Function
    owner: type | None
    hints: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.hints = typing.get_type_hints(self.function)

    def raised(self) -> Errors:
        if self.function.__code__.co_filename.startswith("<"):
            return set()  # written by dataclasses
        code = ast.parse(textwrap.dedent(inspect.getsource(self.function)))
        return set(self.visit(code, ()))

    def visit(
        self, node: ast.AST, caught: tuple[type, ...]
    ) -> Iterator[type[EventStoreError]]:
        """Yield what *node* raises, but for what is *caught* around it."""
        if isinstance(node, ast.Try):
            here = (*caught, *self.caught_by(node))
            for statement in node.body:
                yield from self.visit(statement, here)
            for part in (*node.handlers, *node.orelse, *node.finalbody):
                yield from self.visit(part, caught)
            return
        found: Errors = set()
        match node:
            case ast.Raise(exc=ast.Call(func=name) | (ast.Name() as name)):
                error = self.meaning(name)
                if is_error(error):
                    found = {error}
            case ast.Call(func=name):
                found = self.of_call(name)
            case ast.Attribute() if isinstance(self.static(node), property):
                found = self.of_call(node)
        yield from (error for error in found if not issubclass(error, caught))
        for inner in ast.iter_child_nodes(node):
            yield from self.visit(inner, caught)

    def caught_by(self, node: ast.Try) -> Iterator[type]:
        """Yield the errors that do not leave *node*: no handler raises them again."""
        for handler in node.handlers:
            again = [i for i in handler.body if isinstance(i, ast.Raise) and not i.exc]
            if not again and handler.type is not None:
                kinds = getattr(handler.type, "elts", [handler.type])
                for kind in map(self.meaning, kinds):
                    named = kind if isinstance(kind, tuple) else (kind,)
                    yield from filter(inspect.isclass, named)

    def of_call(self, name: ast.expr) -> Errors:
        called, owner = self.meaning(name), None
        if isinstance(name, ast.Attribute) and isinstance(name.value, ast.Name):
            owner = self.class_of(name.value.id)
        if inspect.isclass(called) and not issubclass(called, BaseException):
            makers = [vars(called).get(m) for m in ("__init__", "__post_init__")]
            return set().union(*(of_ours(m, called) for m in makers))
        return of_ours(called, owner)

    def class_of(self, name: str) -> type | None:
        kind = self.owner if name == "self" else self.hints.get(name)
        return kind if inspect.isclass(kind) else None

    def static(self, node: ast.Attribute) -> Any:
        """Return what a class has under the name, as it stands there."""
        if not isinstance(node.value, ast.Name):
            return None
        return inspect.getattr_static(self.class_of(node.value.id), node.attr, None)

    def meaning(self, node: ast.expr) -> Any:
        """Return what an expression stands for, or None."""
        match node:
            case ast.Name(id=name):
                return {**vars(builtins), **self.function.__globals__}.get(name)
            case ast.Attribute(attr=name):
                module = self.meaning(node.value)
                if inspect.ismodule(module) or inspect.isclass(module):
                    return getattr(module, name, None)
                found = self.static(node)
                return function_of(found) or found
        return None


def of_ours(called: Any, owner: type | None) -> Errors:
    called = inspect.unwrap(called) if callable(called) else called
    if inspect.isfunction(called) and called.__module__.startswith("eventstore"):
        return raised_errors(called, owner)
    return set()


def is_error(thing: Any) -> typing.TypeGuard[type[EventStoreError]]:
    return inspect.isclass(thing) and issubclass(thing, EventStoreError)
