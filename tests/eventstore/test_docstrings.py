"""
What the engine exports says what comes in, what goes out, and which errors it raises.

A parameter or a field of type int, float, str or bytes has its unit or form said: in
the clause of the docstring that has its name in stars, by the name itself (`seconds`),
or once for all in the table of names at the top of `eventstore`.
"""

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

import eventstore
from eventstore import EventStoreError, MemoryStore, PostgresStore, Store
from tests.support.docstrings import (
    DescribedObject,
    described,
    function_of,
    methods_of,
    plain_types,
    says_form,
    says_result,
    unsaid_fields,
)
from tests.support.raised_errors import is_error, raised_errors

EXPORTED = {name: getattr(eventstore, name) for name in eventstore.__all__}
OVERVIEW = inspect.getdoc(eventstore) or ""
NAMES = dict(
    re.findall(r"^    (\w+) +(\S.+)$", OVERVIEW.partition("\nThese err")[0], re.M)
)
"""What means the same everywhere, by name."""

ANYWHERE = re.findall(
    r"\b[A-Z]\w+", "".join(re.findall(r"^    \w.*:$", OVERVIEW, re.M))
)
"""Errors that all readers raise, and no docstring repeats."""

NEVER: dict[str, tuple[set[type[EventStoreError]], str]] = {
    "PostgresStore.append": (
        {eventstore.KeyMadeElsewhere, eventstore.CommandAlreadyFinished},
        "it brings no new keys and completes no commands",
    ),
    "PostgresStore.handle": ({eventstore.CommandAlreadyFinished}, "it completes none"),
    "MemoryStore.handle": ({eventstore.CommandAlreadyFinished}, "it completes none"),
    "append": ({eventstore.CommandAlreadyFinished}, "it completes none"),
    "append_bulk": ({eventstore.CommandAlreadyFinished}, "it completes none"),
    "handle": ({eventstore.CommandAlreadyFinished}, "it completes none"),
    "EventCodec.read": ({eventstore.NotANumber}, "JSON has none of those"),
    "EventCodec.decode": ({eventstore.NotANumber}, "JSON has none of those"),
    "rewrite": ({eventstore.NotANumber}, "JSON has none of those"),
    "drain": (
        {
            eventstore.WrongExpectedVersion,
            eventstore.CommandAlreadyFinished,
            eventstore.KeyMadeElsewhere,
            eventstore.AlreadyClaimed,
        },
        "the commands are given back with it, or fail by it",
    ),
}
"""Errors that a function's code has and its callers never meet, with the reason."""

IMPLEMENTED: dict[type, type] = {MemoryStore: Store, PostgresStore: Store}
"""Classes whose methods are described by another class's docstrings."""


def everything() -> Iterator[DescribedObject]:
    """Yield all that is exported, with the methods and properties of classes."""
    for name, thing in EXPORTED.items():
        for one in described(name, thing):
            kind, _, method = one.name.partition(".")
            model = IMPLEMENTED.get(EXPORTED[kind])
            if not one.doc and method and model is not None:
                model_doc = inspect.getdoc(getattr(model, method, None))
                one = DescribedObject(
                    one.name, model_doc or "", one.fields, one.returned
                )
            yield one


ALL = {one.name: one for one in everything()}


def test_everything_that_is_exported_has_a_docstring() -> None:
    assert [name for name, one in ALL.items() if not one.doc] == []


def test_units_and_forms_are_said() -> None:
    """Else: say it in the clause of the docstring that has the name in *stars*."""
    unsaid = {name: unsaid_fields(one, NAMES) for name, one in ALL.items()}

    assert {name: fields for name, fields in unsaid.items() if fields} == {}


def test_units_and_forms_of_what_is_returned_are_said() -> None:
    assert [name for name, one in ALL.items() if not says_result(one)] == []


def functions() -> dict[str, tuple[Callable[..., Any], type | None, str]]:
    """Return what can be called: the function, its class, and what describes it."""
    found: dict[str, tuple[Callable[..., Any], type | None, str]] = {}
    for name, thing in EXPORTED.items():
        if inspect.isfunction(thing):
            found[name] = (thing, None, ALL[name].doc)
        elif inspect.isclass(thing) and not is_error(thing):
            for method, function in methods_of(thing).items():
                called = f"{name}.{method}"
                found[called] = (function, thing, ALL[called].doc)
            for maker in ("__init__", "__post_init__"):
                made_by = function_of(vars(thing).get(maker))
                if made_by and made_by.__module__.startswith("eventstore"):
                    found[f"{name}.{maker}"] = (made_by, thing, ALL[name].doc)
    return found


FUNCTIONS = functions()


def names_error(doc: str, error: type[EventStoreError]) -> bool:
    """Return True if a sentence that says "raises" names *error* or a base of it."""
    names = [base.__name__ for base in error.__mro__ if is_error(base)]
    told = [s for s in re.split(r"\.\s", doc) if re.search(r"\b[Rr]aises?\b", s)]
    return any(re.search(rf"\b({'|'.join(names)})\b", sentence) for sentence in told)


def unsaid_errors(name: str, function: Any, owner: type | None, doc: str) -> set[str]:
    """Return the names of the errors that it raises, and *doc* does not say."""
    never, _ = NEVER.get(name, (set(), ""))
    return {
        error.__name__
        for error in raised_errors(inspect.unwrap(function), owner)
        if not issubclass(error, tuple(never))
        and error.__name__ not in ANYWHERE
        and not names_error(doc, error)
    }


def test_errors_of_the_engine_are_said() -> None:
    """Else: say "Raises …" of each of them, or of a base of it."""
    unsaid = {name: unsaid_errors(name, *about) for name, about in FUNCTIONS.items()}

    assert {name: found for name, found in unsaid.items() if found} == {}


@pytest.mark.parametrize("name", NEVER)
def test_an_error_that_never_arrives_is_in_the_code(name: str) -> None:
    function, owner, _ = FUNCTIONS[name]

    assert NEVER[name][0] <= raised_errors(inspect.unwrap(function), owner)


def test_constants_and_types_say_what_they_are() -> None:
    """They have no docstring at run time: it is the text below the assignment."""
    root = Path(eventstore.__file__).parent
    told = set()
    for path in root.rglob("*.py"):
        body = ast.parse(path.read_text()).body
        for node, following in pairwise(body):
            target = node.targets[0] if isinstance(node, ast.Assign) else node
            target = node.target if isinstance(node, ast.AnnAssign) else target
            match target, following:
                case ast.Name(id=name), ast.Expr(value=ast.Constant(value=str())):
                    told.add(name)
    plain = {
        name
        for name, thing in EXPORTED.items()
        if not (inspect.isfunction(thing) or inspect.isclass(thing))
    }

    assert plain - told == set()


def test_each_name_of_the_table_is_used_and_has_a_unit_or_form() -> None:
    uses = {
        name: {kind for one in ALL.values() for kind in plain_of(one, name)}
        for name in NAMES
    }

    assert [name for name, kinds in uses.items() if not kinds] == []
    assert [n for n, what in NAMES.items() if not says_form(what, uses[n])] == []


def plain_of(one: DescribedObject, name: str) -> set[type]:
    return plain_types(one.fields.get(name)) | plain_types(one.fields.get(f"{name}s"))


def test_the_errors_that_all_readers_raise_are_errors_of_ours() -> None:
    assert {name for name in ANYWHERE if not is_error(EXPORTED[name])} == set()
    assert len(ANYWHERE) == 9


def sample(doc: str, **hints: Any) -> DescribedObject:
    return DescribedObject("sample", doc, hints, hints.pop("returned", None))


@pytest.mark.parametrize(
    "doc",
    [
        "Wait. Seconds are what clocks count.",
        "Wait for *delay*.",
        "Wait for *delay*, then return some seconds.",
        "Wait for the delay in seconds.",
    ],
)
def test_a_unit_that_is_not_said_of_a_name_does_not_count(doc: str) -> None:
    assert unsaid_fields(sample(doc, delay=float | None), {}) == ["delay"]


@pytest.mark.parametrize(
    ("doc", "hints"),
    [
        ("Wait. *delay*: seconds.", {"delay": float}),
        ("Wait for *delay*, in a loop. The *delay* is in seconds.", {"delay": float}),
        ("Wait.", {"timeout_seconds": int}),
        ("Wait.", {"stream_ids": Iterator[str]}),
        ("Wait.", {"is_patient": bool, "until": Callable[[str], int]}),
    ],
)
def test_a_unit_that_is_said_once_is_enough(doc: str, hints: dict[str, Any]) -> None:
    assert unsaid_fields(sample(doc, **hints), NAMES) == []


def test_what_is_returned_needs_a_unit_or_form_too() -> None:
    assert not says_result(sample("Return how long it took.", returned=float))
    assert says_result(sample("Return the seconds that it took.", returned=float))


def raise_what_is_caught(stream_id: str) -> None:
    try:
        refuse(stream_id)
    except eventstore.EventStoreError:
        return


def refuse(stream_id: str) -> None:
    raise eventstore.CorruptSnapshot(stream_id)


@pytest.mark.parametrize(
    ("function", "doc", "unsaid"),
    [
        (refuse, "Refuse. CorruptSnapshot is an error.", {"CorruptSnapshot"}),
        (refuse, "Refuse. Raises CorruptSnapshot.", set()),
        (refuse, "Refuse. Raises an EventStoreError.", set()),
        (raise_what_is_caught, "Do nothing.", set()),
    ],
)
def test_an_error_that_is_not_said_is_found(
    function: Any, doc: str, unsaid: set[str]
) -> None:
    assert unsaid_errors("sample", function, None, doc) == unsaid


def test_an_error_of_a_helper_is_found() -> None:
    function = MemoryStore.version  # by a method of its own, and by a function

    assert unsaid_errors("sample", function, MemoryStore, "") == {
        "NoSuchVersion",
        "NotSettled",
    }
