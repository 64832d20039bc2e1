"""What a search compares: words without accents, in lower case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readmodels.words import MOST_CHARACTERS, words


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Köln GmbH"], "koln gmbh"),
        (["ALICE", None, "alice@example.com"], "alice alice example com"),
        (["1Z-999_AA"], "1z 999 aa"),
        (["--", ""], ""),
        (["Straße"], "strasse"),
    ],
)
def test_words_are_bare(texts: list[str | None], expected: str) -> None:
    assert words(*texts) == expected


def test_letters_that_grow_end_in_no_blank() -> None:
    assert words("aa" + "\N{LATIN SMALL LIGATURE FFI}" * 99 + " b").endswith("ffi")


@given(st.lists(st.text(max_size=400), max_size=4))
def test_there_is_one_blank_between_two_words_and_none_around(texts: list[str]) -> None:
    found = words(*texts)

    assert found == " ".join(found.split())
    assert len(found) <= MOST_CHARACTERS
