"""
Shapes of events: written down version by version, so that none changes unnoticed.

An application keeps the text of its shapes beside its tests and compares its classes
with it there: `examine(classes, text)`. It returns each class whose shape is not that
of its version, with the version that it needs and the lines to add. The rule is that of
Semantic Versioning for readers: a minor version can be read by older and newer code,
and a major one needs an upcaster.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from eventstore.encryption.personal_fields import (
    classes_in,
    classes_named_in,
    is_marked,
)
from eventstore.log.codec import schema_of
from eventstore.type_shape import fields_of, shape_of

HEADING = re.compile(r"(?P<type>\w+) (?P<major>[1-9][0-9]*)\.(?P<minor>0|[1-9][0-9]*)")
FIELD = re.compile(r"    (?P<path>[\w.]+): (?P<what>\S.*)")
PERSONAL_MARK = ", personal"
WHOLE = "{}"
"""The type of a field with fields of its own, whatever the name of its class."""


class Version(NamedTuple):
    """The version of a shape, `major.minor`."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


FIRST = Version(1, 0)

Shape = Mapping[str, str]
"""What each field is, by its path: its type, its default if any, whether personal."""


@dataclass(frozen=True, slots=True)
class Change:
    """The differences between two shapes, as paths of fields."""

    added: Sequence[str]
    removed: Sequence[str]
    altered: Sequence[str]
    is_major: bool

    def __str__(self) -> str:
        parts = [
            f"{word} {', '.join(paths)}"
            for word, paths in (
                ("adds", self.added),
                ("removes", self.removed),
                ("alters", self.altered),
            )
            if paths
        ]
        return " and ".join(parts)


class UnrecordedClass(NamedTuple):
    """
    A class that does not fit the record of shapes.

    *reason* is a text that says why, *lines* the text to be added to the record.
    """

    type: str
    reason: str
    lines: str

    def __str__(self) -> str:
        return f"{self.reason}\n{self.lines}" if self.lines else self.reason


def examine(classes: Iterable[type], text: str) -> list[UnrecordedClass]:
    """
    Return which of the event *classes* do not fit the shapes recorded in *text*.

    *text* has for each type a line `Type major.minor`, and below it one line ` path:
    type` for each field. Raises ValueError for a text that is not of this form.
    """
    recorded = read(text)
    found = (find_incompatibility(c, recorded.get(c.__name__, {})) for c in classes)
    return [problem for problem in found if problem is not None]


def find_incompatibility(
    kind: type, recorded: Mapping[Version, Shape]
) -> UnrecordedClass | None:
    """Return why *kind* does not fit the versions *recorded* of it, or None."""
    name, shape, version = kind.__name__, shape_of_event(kind), version_of(kind)
    if recorded.get(version) == shape and version == max(recorded):
        return None
    if not recorded:
        wanted, reason = FIRST, f"{name} is new"
    else:
        newest = max(recorded)
        change = compare(recorded[newest], shape)
        if change is None:
            return UnrecordedClass(
                name,
                f"{name} says that it is {version}, and its shape is still that of"
                f' {newest}: schema_version = "{newest}"',
                "",
            )
        wanted = Version(newest.major, newest.minor + 1)
        if change.is_major:
            wanted = Version(newest.major + 1, 0)
        size = "a major, and wants an upcaster" if change.is_major else "a minor"
        reason = f"{name} has changed since {newest}: it {change}, which is {size}"
    if version != wanted:
        reason += f'; it must say schema_version: ClassVar[str] = "{wanted}"'
    return UnrecordedClass(
        name, f"{reason}. Write down its shape:", shape_lines(name, wanted, shape)
    )


def compare(old: Shape, new: Shape) -> Change | None:
    """Return the differences between *old* and *new*; None if there are none."""
    if old == new:
        return None
    added = [path for path in new if path not in old]
    removed = [path for path in old if path not in new]
    altered = [path for path in old if path in new and old[path] != new[path]]
    return Change(
        added,
        removed,
        altered,
        is_major=bool(
            removed
            # A mark concerns how a field is stored, not its decoded value.
            or any(without_mark(old[p]) != without_mark(new[p]) for p in altered)
            or any(not may_be_missing(path, added, new) for path in added)
        ),
    )


def may_be_missing(path: str, added: Sequence[str], new: Shape) -> bool:
    """Return whether the field *added* at *path*, or one around it, has a default."""
    wholes = [path[: dot.start()] for dot in re.finditer(r"\.", path)]
    return any(" = " in new[p] for p in (path, *wholes) if p in added)


def without_mark(what: str) -> str:
    return what.removesuffix(PERSONAL_MARK)


def version_of(kind: type) -> Version:
    """Return the schema version declared by *kind*. Raises ValueError."""
    said = schema_of(kind)
    match = HEADING.fullmatch(f"{kind.__name__} {said}")
    if match is None:
        raise ValueError(f"{kind.__name__}: {said!r} is no version like 1.0")
    return Version(int(match["major"]), int(match["minor"]))


def shape_of_event(kind: type) -> Shape:
    """Return the shape of the events of *kind*, down to plain types."""
    return dict(_fields(kind, "", frozenset({kind})))


def _fields(
    kind: type, prefix: str, above: frozenset[type]
) -> Iterable[tuple[str, str]]:
    hints = fields_of(kind)
    for field in dataclasses.fields(kind):
        path, hint = f"{prefix}{field.name}", hints[field.name]
        mark = PERSONAL_MARK if is_marked(field) else ""
        held = classes_in(hint, set())
        text = shape_of(hint, dict.fromkeys(held, WHOLE))
        yield path, f"{text}{_default(field)}{mark}"
        for inner in sorted(classes_named_in(hint) - above, key=str):
            yield from _fields(inner, f"{path}.", above | {inner})


def _default(field: "dataclasses.Field[Any]") -> str:
    if field.default is not dataclasses.MISSING:
        return f" = {field.default!r}"
    if field.default_factory is not dataclasses.MISSING:
        return f" = {field.default_factory()!r}"
    return ""


def shape_lines(type_: str, version: Version, shape: Shape) -> str:
    """Return the lines of *shape*, as `read` parses them."""
    return "\n".join(
        [f"{type_} {version}", *(f"    {path}: {what}" for path, what in shape.items())]
    )


def read(text: str) -> dict[str, dict[Version, Shape]]:
    """Return the shapes in *text*, by type and version. Raises ValueError."""
    shapes: dict[str, dict[Version, Shape]] = {}
    fields: dict[str, str] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        if heading := HEADING.fullmatch(line):
            version = Version(int(heading["major"]), int(heading["minor"]))
            of_type = shapes.setdefault(heading["type"], {})
            if version in of_type:
                raise ValueError(f"line {number}: {line} is there twice")
            of_type[version] = fields = {}
        elif fields is not None and (field := FIELD.fullmatch(line)):
            fields[field["path"]] = field["what"]
        else:
            raise ValueError(f"line {number} is neither a version nor a field: {line}")
    return shapes
