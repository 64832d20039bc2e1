"""The differences between two values, part by part, down to plain ones."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, NamedTuple


class Absent(Enum):
    """The placeholder for a part that one of the two values does not have."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT


class Difference(NamedTuple):
    """A part that differs; *path* is like `details.address.city`, or empty."""

    path: str
    before: Any
    after: Any


def differences(
    before: Any, after: Any, *, whole: tuple[type, ...] = (), path: str = ""
) -> Iterator[Difference]:
    """
    Yield the differences between *before* and *after*, in the order of their parts.

    Parts are the fields of a class, the entries of a mapping, the items of a sequence.
    An instance of a class in *whole*, such as an amount of money, has no parts.
    """
    if type(before) is type(after) and before == after:
        return
    old, new = parts(before, whole), parts(after, whole)
    if not are_alike(before, after) or (old is None and new is None):
        yield Difference(path, before, after)
        return
    # If there was no value before, a field that is None is no difference.
    missing = None if before is None or after is None else ABSENT
    found = [
        difference
        for name in {**(old or {}), **(new or {})}
        for difference in differences(
            (old or {}).get(name, missing),
            (new or {}).get(name, missing),
            whole=whole,
            path=f"{path}.{name}" if path else name,
        )
    ]
    yield from found or [Difference(path, before, after)]


def are_alike(before: Any, after: Any) -> bool:
    """Return whether both values have parts that can be compared."""
    if before is None or after is None:
        return True
    if isinstance(before, list | tuple):
        return isinstance(after, list | tuple)
    return type(before) is type(after)


def parts(value: Any, whole: tuple[type, ...]) -> dict[str, Any] | None:
    """Return the parts of *value* by name; None if it has none."""
    if isinstance(value, whole):
        return None
    if is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): part for name, part in value.items()}
    if isinstance(value, list | tuple):
        return {str(place): part for place, part in enumerate(value)}
    return None
