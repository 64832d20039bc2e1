"""The documents of the search store: what rows are found by there."""

from eventstore.projections.changes import RowChange
from readmodels.stores.search.forms import ORDERS, ends_in_row, ends_of
from tests.support.order_rows import order


def test_a_part_of_a_word_begins_one_of_its_ends() -> None:
    assert list(ends_of(["tofu", "is", "tofu", "käse"])) == ["ofu", "äse"]
    assert "wein" not in ends_of(["weinberg"])
    assert any(end.startswith("nber") for end in ends_of(["weinberg"]))


def test_in_scripts_without_blanks_a_letter_is_an_end() -> None:
    assert list(ends_of(["佐藤健"])) == ["藤健", "健"]


def test_rows_of_customers_have_their_ends() -> None:
    assert list(ends_in_row(["weinberg", ".berg", "17"])) == ["berg"]


def test_an_order_is_kept_with_what_it_is_found_and_sorted_by() -> None:
    row = order(7, "Al")
    kept = ORDERS.document(RowChange(7, 30, 20, row))

    assert (kept["change"], kept["key"], kept["gone"]) == (30, "7", False)
    assert kept["row"] is row
    assert set(kept["words"].split()) == {"al", "alice", "berlin", "7", "clock"}
    assert "lock" in kept["ends"].split()
    assert (kept["by_order_id"], kept["by_total"]) == (7, 700)
    assert set(kept) <= set(ORDERS.mapping["properties"])


def test_a_deleted_row_leaves_no_value() -> None:
    kept = ORDERS.document(RowChange(7, 30, 20, None))
    assert kept == {"change": 30, "gone": True, "key": "7"}
