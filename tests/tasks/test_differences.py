"""What differs between two values, part by part."""

from dataclasses import dataclass
from typing import Any

import pytest

from tasks.shop.differences import ABSENT, differences


@dataclass(frozen=True)
class Price:
    amount: int
    currency: str = "EUR"


@dataclass(frozen=True)
class Clock:
    name: str
    price: Price | None = None
    hands: tuple[str, ...] = ()


RETRO = Clock("RETRO-CLOCK", Price(100))

CASES: list[tuple[Any, Any, list[tuple[str, Any, Any]]]] = [
    (RETRO, RETRO, []),
    (RETRO, Clock("RETRO-CLOCK", Price(120)), [("price.amount", 100, 120)]),
    (
        Clock("A"),
        Clock("A", Price(1, "")),
        [("price.amount", None, 1), ("price.currency", None, "")],
    ),
    (Clock("A"), None, [("name", "A", None), ("hands", (), None)]),
    (
        Clock("A", hands=("hour",)),
        Clock("A", hands=("minute", "second")),
        [("hands.0", "hour", "minute"), ("hands.1", ABSENT, "second")],
    ),
    ({"a": 1, "b": {"c": 2}}, {"b": {"c": 3}}, [("a", 1, ABSENT), ("b.c", 2, 3)]),
    (1, True, [("", 1, True)]),
    ("text", ["t"], [("", "text", ["t"])]),
    (Price(1), RETRO, [("", Price(1), RETRO)]),
    (None, Clock("A"), [("name", None, "A"), ("hands", None, ())]),
]


@pytest.mark.parametrize(("before", "after", "expected"), CASES)
def test_each_part_that_is_another_one_is_told(
    before: Any, after: Any, expected: list[tuple[str, Any, Any]]
) -> None:
    assert list(differences(before, after)) == expected


def test_what_is_one_thing_is_told_as_a_whole() -> None:
    dearer = Clock("RETRO-CLOCK", Price(120))

    assert list(differences(RETRO, dearer, whole=(Price,))) == [
        ("price", Price(100), Price(120))
    ]


def test_an_empty_whole_that_comes_up_is_still_told() -> None:
    assert list(differences(None, {})) == [("", None, {})]
