"""The shape of a state: what it is made of, down to plain types."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, NewType

import pytest

from eventstore.type_shape import shape_of


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Point(NamedTuple):
    x: int
    y: int = 0


@dataclass(frozen=True)
class Tree:
    """It has itself in it."""

    colour: Colour
    branches: "tuple[Tree, ...]" = ()
    kind: ClassVar[str] = "tree"


@dataclass(frozen=True)
class Clock:
    name: Annotated[str, "not empty"]
    price: Decimal | None = field(default=None, metadata={"personal": True})


Serial = NewType("Serial", int)

SHAPES: list[tuple[Any, str]] = [
    (int, "int"),
    (Serial, "int"),
    (Any, "Any"),
    (str | None, "NoneType | str"),
    (None | str, "NoneType | str"),
    (dict[str, list[int]], "dict[str, list[int]]"),
    (Literal["a", 1], "['a', 1]"),
    (Colour, "Colour('red', 'green')"),
    (Point, "Point(x: int, y: int)"),
    (Clock, "Clock(name: str, price: Decimal | NoneType)"),
    (
        Tree,
        "Tree(colour: Colour('red', 'green'), branches: tuple[Tree, Ellipsis])",
    ),
]


@pytest.mark.parametrize(("kind", "shape"), SHAPES, ids=lambda value: str(value))
def test_a_shape_tells_fields_and_types(kind: Any, shape: str) -> None:
    assert shape_of(kind) == shape
