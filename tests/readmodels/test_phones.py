"""A telephone number is found however it is written, and no other number is one."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.customers.events import CustomerRegistered
from readmodels.asked_words import terms_of
from readmodels.phones import MARK, phone_words
from readmodels.row_words import words_of_customer
from readmodels.words import words


def finds(asked: str, phone: str) -> bool:
    """Return whether all terms of *asked* are found by the number alone."""
    kept = words_of_customer("C1", CustomerRegistered(name="Zoe", phone=phone)).split()
    return all(
        any(all(any(k.startswith(w) for k in kept) for w in way) for way in term.ways)
        for term in terms_of(asked)
    )


@pytest.mark.parametrize(
    "asked",
    [
        "+49 (0)30-123 456",
        "030123456",
        "49 30 123456",
        "123456",
        "0049 30 123456",
        "+4930123456",
        "030/123-456",
        "030 12 34 56",
        "(030) 123.456",
        "30123",
        "٠٣٠١٢٣٤٥٦",
    ],
)
def test_one_number_is_found_in_all_its_ways(asked: str) -> None:
    assert finds(asked, "+49 (0)30-123 456")


@pytest.mark.parametrize(
    ("asked", "phone"),
    [
        ("+49 30 0074321", "030-0074321"),
        ("0033 88601531", "88.60.15.31"),
        ("08 123 456", "+46812345 6"),
        ("5554729", "(5) 555-4729"),
        ("0171 654 32 10", "0171 6543210"),
    ],
)
def test_the_country_may_be_missing_on_either_side(asked: str, phone: str) -> None:
    assert finds(asked, phone)


@pytest.mark.parametrize("asked", ["654321", "4930", "99123456", "3012"])
def test_another_number_is_not_found(asked: str) -> None:
    assert not finds(asked, "+49 (0)30-123 456")


def test_a_number_with_its_name_is_found_as_both() -> None:
    assert finds("zoe 030 123456", "030-123456")
    assert not finds("bob 030 123456", "030-123456")


@example("0/0/0/1/0/0/0/0/0")
@given(st.text("0123456789 ()+-/.", max_size=40))
def test_what_is_kept_is_found_again(phone: str) -> None:
    if phone_words(phone):
        assert finds(phone, phone)


@given(st.text(max_size=60))
def test_the_words_of_a_number_are_words(phone: str) -> None:
    for word in phone_words(phone):
        assert word.startswith(MARK)
        assert words(word) == word
