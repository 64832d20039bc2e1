"""Rows that stay in memory find by an update what a look at each of them would find."""

from dataclasses import replace
from random import Random

import pytest

from eventstore.projections.kept_rows import KeptRows
from eventstore.projections.projection import Update
from eventstore.projections.rows_in_memory import updated
from eventstore.projections.tables import tables_of
from tests.support.shared_passes import Total, projection_called

TABLE = tables_of(projection_called("totals"), 1).rows


def in_group(name: str, group: int) -> Total:
    return Total(counter=name, total=1, group=group)


def test_a_row_that_is_taken_back_is_found_by_the_value_that_it_has() -> None:
    rows = KeptRows(TABLE, has_all=True)
    rows.change("a", in_group("a", 1))
    rows.update(Update(where={"group": 9}, to={"group": 8}))
    rows.undo.clear()
    rows.change("a", in_group("a", 2))
    rows.take_back(0)
    rows.update(Update(where={"group": 2}, to={"group": 7}))
    rows.update(Update(where={"group": 1}, to={"group": 5}))

    assert rows.by_key == {"a": in_group("a", 5)}


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happened_to_the_rows(seed: int) -> None:
    chance = Random(seed)
    rows = KeptRows(TABLE, has_all=True)
    expected: dict[str, Total | None] = {}
    for _ in range(300):
        name, group = chance.choice("abcdef"), chance.randrange(3)
        before, is_taken_back = dict(expected), chance.random() < 0.3
        match chance.randrange(3):
            case 0:
                row = None if chance.random() < 0.2 else in_group(name, group)
                rows.change(name, row)
                expected[name] = row
            case 1:
                update = Update(where={"group": group}, to={"group": (group + 1) % 3})
                rows.update(update)
                expected = {key: updated(row, update) for key, row in expected.items()}
            case 2:
                rows.delete(name)
                expected[name] = None
                # It cannot be taken back.
                is_taken_back = False
        if is_taken_back:
            rows.take_back(0)
            expected = before
        rows.undo.clear()

        assert {k: r for k, r in rows.by_key.items() if r is not None} == {
            key: row for key, row in expected.items() if row is not None
        }


def test_a_change_that_is_the_same_is_none() -> None:
    row = in_group("a", 1)
    assert updated(row, Update(where={"group": 2}, to={"group": 3})) is row
    assert updated(row, Update(where={"group": 1}, to={"group": 3})) == replace(
        row, group=3
    )
