"""A shape that changes without a version is told, with what to write down."""

from dataclasses import dataclass, field, make_dataclass
from decimal import Decimal
from types import GenericAlias
from typing import Any, ClassVar

import pytest

from eventstore.log.schema_compatibility import (
    FIRST,
    examine,
    shape_lines,
    shape_of_event,
)

NAMED: dict[str, Any] = {"name": (str,), "born": (int,)}


def whole(class_name: str, **fields: Any) -> Any:
    """Return a dataclass of these fields: of each the type and a default."""
    made = [(name, *of) for name, of in fields.items()]
    return make_dataclass(class_name, made, kw_only=True)


def renamed(version: str = "1.0", **fields: Any) -> Any:
    kind = whole("Renamed", **fields)
    kind.schema_version = version
    return kind


def several(kind: Any) -> Any:
    return GenericAlias(list, (kind,))


RECORDED = shape_lines("Renamed", FIRST, shape_of_event(renamed(**NAMED)))


def told(kind: Any, text: str = RECORDED) -> str:
    return "\n".join(map(str, examine([kind], text)))


def test_a_shape_that_is_as_it_was_written_down_is_no_problem() -> None:
    assert told(renamed(**NAMED)) == ""


def test_fields_in_another_order_are_no_other_shape() -> None:
    assert told(renamed(born=(int,), name=(str,))) == ""


def test_a_new_event_is_to_be_written_down() -> None:
    assert told(renamed(**NAMED), "") == (
        "Renamed is new. Write down its shape:\n"
        "Renamed 1.0\n"
        "    name: str\n"
        "    born: int"
    )


def test_a_new_event_begins_with_the_first_version() -> None:
    assert 'must say schema_version: ClassVar[str] = "1.0"' in told(
        renamed("2.0", **NAMED), ""
    )


def test_an_optional_field_is_a_minor() -> None:
    assert told(renamed(**NAMED, town=(str | None, None))) == (
        "Renamed has changed since 1.0: it adds town, which is a minor; it must say"
        ' schema_version: ClassVar[str] = "1.1". Write down its shape:\n'
        "Renamed 1.1\n"
        "    name: str\n"
        "    born: int\n"
        "    town: NoneType | str = None"
    )


@pytest.mark.parametrize(
    ("fields", "change"),
    [
        ({**NAMED, "town": (str,)}, "adds town"),
        ({"name": (str,)}, "removes born"),
        ({"name": (str,), "born": (str,)}, "alters born"),
        ({"name": (str,), "born": (int, 1900)}, "alters born"),
        ({"called": (str,), "born": (int,)}, "adds called and removes name"),
    ],
)
def test_anything_else_is_a_major(fields: dict[str, Any], change: str) -> None:
    said = told(renamed(**fields))

    assert f"it {change}, which is a major, and wants an upcaster" in said
    assert 'schema_version: ClassVar[str] = "2.0"' in said


@pytest.mark.parametrize("version", ["1.1", "1.2", "3.0"])
def test_a_major_that_calls_itself_otherwise_is_told_the_right_one(
    version: str,
) -> None:
    said = told(renamed(version, name=(str,)))

    assert 'it must say schema_version: ClassVar[str] = "2.0"' in said


def test_with_the_right_version_there_is_only_its_shape_to_write_down() -> None:
    said = told(renamed("2.0", name=(str,)))

    assert "must say" not in said
    assert said.endswith("Write down its shape:\nRenamed 2.0\n    name: str")
    new = said[said.index("Renamed 2.0") :]
    assert told(renamed("2.0", name=(str,)), f"{RECORDED}\n\n{new}") == ""


def test_a_version_without_a_change_is_told() -> None:
    assert told(renamed("1.1", **NAMED)) == (
        "Renamed says that it is 1.1, and its shape is still that of 1.0:"
        ' schema_version = "1.0"'
    )


def test_what_was_written_down_last_is_not_taken_back() -> None:
    later = f"{RECORDED}\n{RECORDED.replace('1.0', '1.1')}\n    town: str = ''"

    assert "removes town, which is a major" in told(renamed(**NAMED), later)


def test_a_field_deeper_inside_counts() -> None:
    old = whole("Line", price=(int,))
    new = whole("Line", price=(int,), part=(Decimal,))
    recorded = shape_lines(
        "Renamed", FIRST, shape_of_event(renamed(lines=(several(old),)))
    )

    assert "adds lines.part, which is a major" in told(
        renamed(lines=(several(new),)), recorded
    )


def test_a_whole_that_may_be_missing_is_a_minor_whatever_is_inside() -> None:
    line = whole("Line", price=(int,))

    assert "which is a minor" in told(renamed(**NAMED, line=(line | None, None)))


def test_another_name_of_a_class_inside_is_no_other_shape() -> None:
    old, new = (whole(name, price=(int,)) for name in ("Line", "Item"))
    recorded = shape_lines("Renamed", FIRST, shape_of_event(renamed(line=(old,))))

    assert told(renamed(line=(new,)), recorded) == ""


def test_to_mark_a_field_personal_is_a_minor() -> None:
    marked = renamed(name=(str, field(metadata={"personal": True})), born=(int,))

    assert "alters name, which is a minor" in told(marked)


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A class that holds itself."""

    schema_version: ClassVar[str] = "1.0"

    leaf: str
    branches: tuple["Branch", ...]


def test_a_tree_has_an_end() -> None:
    assert list(shape_of_event(Branch)) == ["leaf", "branches"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("    name: str", "line 1 is neither"),
        ("Renamed 1", "line 1 is neither"),
        ("Renamed 1.0\n\nRenamed 1.0", "line 3: Renamed 1.0 is there twice"),
        ("Renamed 1.0\nname: str", "line 2 is neither"),
    ],
)
def test_a_text_that_is_not_of_the_form_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        examine([], text)


def test_a_version_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'two' is no version like 1\.0"):
        told(renamed("two", **NAMED))
