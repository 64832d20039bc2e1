"""Parses plain data to a command, and collects all faults by field."""

import difflib
import re
import types
import typing
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from domain.errors import Fault, InvalidInput
from domain.fields import Rule

M = TypeVar("M")
Faults = list[Fault]
MAX_UNKNOWN_NAMES = 20
"""The highest number of unknown fields of an object that are reported."""
MAX_COMPARED = 20
"""The highest number of unknown names compared with known ones, which is slow."""
MAX_FAULTS = 1_000
"""The highest number of faults that are collected in one message."""
# Reads one value at a path; errors are added to the list of faults.
Reader = Callable[[object, str, Faults], Any]


def parse(message: type[M], data: object) -> M:
    """
    Return the *message* (a command's class) that *data*, plain JSON values, holds.

    Raises InvalidInput with all that is wrong: fields that are missing, unknown, of
    another type, or outside what their kind (`domain.fields`) accepts.
    """
    faults: Faults = []
    command = reader_of_object(typing.cast(Any, message))(data, "", faults)
    if faults:
        raise InvalidInput(faults)
    return typing.cast(M, command)


@cache
def reader_of_object(message: Any) -> Reader:
    """Return the reader of a dataclass, made once a class: type hints are slow."""
    hints = typing.get_type_hints(message, include_extras=True)
    known: dict[str, tuple[Field[Any], Reader]] = {
        field.name: (field, reader_of(hints[field.name])) for field in fields(message)
    }
    # Where fields must also fit each other, the class itself tells.
    has_faults = hasattr(message, "faults")

    def read(data: object, path: str, faults: Faults) -> object:
        if not isinstance(data, Mapping):
            faults.append(Fault(path or "body", "must be an object with fields"))
            return None
        found = len(faults)
        unknown = [name for name in data if name not in known]
        for name in unknown[:MAX_UNKNOWN_NAMES]:
            may_compare = len(faults) < MAX_COMPARED
            problem = unknown_name(name, known) if may_compare else "is unknown"
            faults.append(Fault(join(path, name), problem))
        values = {}
        for name, (field, read_value) in known.items():
            if name in data:
                values[name] = read_value(data[name], join(path, name), faults)
            elif field.default is MISSING and field.default_factory is MISSING:
                faults.append(Fault(join(path, name), "is missing"))
        if len(faults) > found:
            return None
        whole = message(**values)
        if has_faults:
            faults.extend(
                Fault(join(path, fault.field), fault.problem)
                for fault in whole.faults()
            )
        return whole

    return read


def reader_of(hint: Any) -> Reader:
    """Return the reader of a field's type."""
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        plain, *rules = typing.get_args(hint)
        return check_value(reader_of(plain), rules)
    if origin in (types.UnionType, typing.Union):
        (one,) = (a for a in typing.get_args(hint) if a is not types.NoneType)
        return optional(reader_of(one))
    if origin is tuple:
        return several(reader_of(typing.get_args(hint)[0]))
    if is_dataclass(hint):
        return reader_of_object(typing.cast(Any, hint))
    return PLAIN[hint]


def check_value(read_value: Reader, rules: list[Rule]) -> Reader:
    def read(data: object, path: str, faults: Faults) -> object:
        found = len(faults)
        value = read_value(data, path, faults)
        if len(faults) == found:
            problems = filter(None, (rule.problem(value) for rule in rules))
            # The first tells enough: what a later rule says often follows from it.
            faults.extend(Fault(path, problem) for problem in islice(problems, 1))
        return value

    return read


def optional(read_value: Reader) -> Reader:
    return lambda data, path, faults: (
        None if data is None else read_value(data, path, faults)
    )


def several(read_value: Reader) -> Reader:
    def read(data: object, path: str, faults: Faults) -> object:
        if not isinstance(data, list | tuple):
            faults.append(Fault(path, "must be a list"))
            return ()
        return tuple(
            read_value(item, join(path, str(index)), faults)
            for index, item in enumerate(data)
            if len(faults) < MAX_FAULTS
        )

    return read


def plain(kind: type, form: str) -> Reader:
    def read(data: object, path: str, faults: Faults) -> object:
        # In Python True is a whole number; in an order it is a mistake.
        if not isinstance(data, kind) or isinstance(data, bool):
            faults.append(Fault(path, f"must be {form}"))
            return None
        return data

    return read


def read_truth(data: object, path: str, faults: Faults) -> object:
    if not isinstance(data, bool):
        faults.append(Fault(path, "must be true or false"))
        return None
    return data


def reader_of_text(
    parse_text: Callable[[str], object], pattern: str, form: str
) -> Reader:
    """Return the reader of a value that JSON has no type for and writes as a text."""

    def read(data: object, path: str, faults: Faults) -> object:
        # The pattern is stricter than the parsers, which know more ways to write it.
        if isinstance(data, str) and re.fullmatch(pattern, data, re.ASCII):
            with suppress(ValueError):
                return parse_text(data)
        faults.append(Fault(path, f"must be {form}"))
        return None

    return read


def instant(text: str) -> datetime:
    """
    Return the time that *text* is, if everybody can write it by their own clock.

    No clock is further from UTC than 15 hours, and databases refuse what is: at the
    edges of the calendar another zone's clock shows a year that there is not.
    """
    moment = datetime.fromisoformat(text)
    offset = moment.utcoffset()
    if offset is None or abs(offset) > timedelta(hours=15):
        raise ValueError
    if not 1 < moment.year < 9999:
        raise ValueError
    return moment


def day(text: str) -> date:
    """Return the day that *text* is, if all clocks can show when it begins and ends."""
    found = date.fromisoformat(text)
    if not 1 < found.year < 9999:
        raise ValueError
    return found


PLAIN: dict[Any, Reader] = {
    str: plain(str, "a text"),
    int: plain(int, "a whole number"),
    bool: read_truth,
    Decimal: reader_of_text(
        Decimal, r"-?\d{1,20}(\.\d{1,20})?", 'a decimal number in quotes, like "0.05"'
    ),
    datetime: reader_of_text(
        instant,
        r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)",
        "a time with its zone, like 2026-11-23T14:05:00+01:00",
    ),
    date: reader_of_text(day, r"\d{4}-\d\d-\d\d", "a date like 2026-11-23"),
}


def join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def unknown_name(name: str, known: Collection[str]) -> str:
    """Return the fault of an unknown *name*, with the most similar known name."""
    # Comparing takes time, and a name this long is no slip.
    close = difflib.get_close_matches(name, known, n=1) if len(name) < 60 else ()
    return f"is unknown; did you mean {close[0]}?" if close else "is unknown"
