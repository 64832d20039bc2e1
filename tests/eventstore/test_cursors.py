"""Cursors: what a client hands back is checked before any list believes it."""

import base64
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from eventstore.cursors import decode_cursor, encode_cursor
from eventstore.errors import BadCursor
from eventstore.journal.listing import CommandFilter, Place, cursor_of, place_in

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_place_comes_back_as_the_values_that_it_was_made_of() -> None:
    place = [True, NOON, Decimal("1.50"), "Zoë", -7]

    cursor = encode_cursor("orders -total", place)

    types = [bool, datetime, Decimal, str, int]
    assert decode_cursor(cursor, "orders -total", types) == place


@pytest.mark.parametrize(
    ("order", "place"),
    [
        ("orders total", [1, "x"]),
        ("customers -total", [1, "x"]),
        ("orders -total", [1]),
        ("orders -total", [1, "x", 2]),
        ("orders -total", ["1", "x"]),
        ("orders -total", [None, "x"]),
        ("orders -total", [1, "a NUL \0"]),
        ("orders -total", [2**63, "x"]),
        ("orders -total", [-(2**63) - 1, "x"]),
    ],
)
def test_a_cursor_of_another_list_or_order_is_refused(
    order: str, place: list[Any]
) -> None:
    with pytest.raises(BadCursor, match="belongs to another list or sort order"):
        decode_cursor(encode_cursor(order, place), "orders -total", [int, str])


@pytest.mark.parametrize(
    "text",
    ["null", "[]", "7", '{"a": 1}', '["o", "\\ud800"]', "[" * 9_000, '["o", 1e999]'],
)
def test_a_cursor_that_somebody_made_up_is_refused(text: str) -> None:
    cursor = base64.urlsafe_b64encode(text.encode()).decode()

    for type_ in (str, int, float):
        with pytest.raises(BadCursor):
            decode_cursor(cursor, "o", [type_])


def test_a_number_that_no_column_holds_is_refused() -> None:
    with pytest.raises(BadCursor):
        decode_cursor(encode_cursor("o", ["1e200000"]), "o", [Decimal])


@pytest.mark.parametrize(
    ("wanted", "place"),
    [
        (CommandFilter(status="failed"), Place(7)),
        (CommandFilter(), Place(7)),
        (CommandFilter(status="scheduled"), Place(7, NOON)),
    ],
)
def test_a_list_of_commands_goes_on_behind_its_own_cursors_alone(
    wanted: CommandFilter, place: Place
) -> None:
    cursor = cursor_of(place, wanted)

    assert place_in(cursor, wanted) == place
    with pytest.raises(BadCursor):
        place_in(cursor, CommandFilter(status="accepted"))


@pytest.mark.parametrize(
    ("status", "held"),
    [
        ("failed", [0]),
        ("failed", [-(2**63)]),
        ("failed", [7, NOON]),
        ("scheduled", [7]),
        ("scheduled", [7, NOON.replace(tzinfo=None)]),
    ],
)
def test_a_place_that_no_command_has_is_refused(status: str, held: list[Any]) -> None:
    with pytest.raises(BadCursor):
        place_in(
            encode_cursor(f"commands {status}", held), CommandFilter(status=status)
        )
