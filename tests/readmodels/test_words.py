"""What a search compares: words without accents, in lower case."""

# ruff: noqa: RUF001  # letters of all scripts, on purpose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readmodels.words import MAX_BYTES, words


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Köln GmbH"], "koln gmbh"),
        (["ALICE", None, "alice@example.com"], "alice alice example com"),
        (["1Z-999_AA"], "1z 999 aa"),
        (["--", ""], ""),
        (["Straße"], "strasse"),
        (["Łódź", "łódzka"], "lodz lodzka"),
        (["Søren", "Ærø"], "soren aero"),
        (["Þorsson", "Guðrún"], "thorsson gudrun"),
        (["Đorđe", "œuvre", "Ħamrun"], "dorde oeuvre hamrun"),
        (["İstanbul", "DIYARBAKIR", "Diyarbakır"], "istanbul diyarbakir diyarbakir"),
        (["Tiếng Việt"], "tieng viet"),
        (["ΕΛΛΆΣ", "Ελλάς"], "ελλασ ελλασ"),
        (["Ёлка", "ґанок"], "елка ганок"),
        (["مُحَمَّد"], "محمد"),
        (["می\u200cخواهم"], "میخواهم"),
        (["שָׁלוֹם"], "שלום"),
        (["सीता"], "सीता"),
        (["தமிழ்"], "தமிழ்"),
        (["ﾊﾞﾅﾅ", "バナナ"], "バナナ バナナ"),
        (["가", "\u1100\u1161"], "가 가"),
        (["soft\u00adhyphen", "𝐀lice"], "softhyphen alice"),
        (["O’Brien", "O'Brien"], "o brien o brien"),
    ],
)
def test_words_are_bare(texts: list[str | None], expected: str) -> None:
    assert words(*texts) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("सीता", "सुता"),
        ("हिंदी", "हदी"),
        ("バナナ", "ハナナ"),
        ("กา", "กี"),
        ("ಕಾ", "ಕಿ"),
        ("김", "감"),
    ],
)
def test_two_words_of_other_vowels_are_two(one: str, other: str) -> None:
    assert words(one) != words(other)


def test_a_long_name_in_hangul_is_whole_and_hides_nothing() -> None:
    found = words("가" * 180, "ALICE", "alice@example.com", "나" * 200)

    assert found == f"{'가' * 180} alice alice example com {'나' * 200}"


@given(st.text(max_size=100))
def test_what_is_folded_stays_as_it_is(text: str) -> None:
    assert words(words(text)) == words(text)


def test_letters_that_grow_end_in_no_blank() -> None:
    long = "aa" + "\N{LATIN SMALL LIGATURE FFI}" * 666 + " b"

    assert words(long).endswith("ffi")


@given(st.lists(st.text(max_size=400), max_size=4))
def test_there_is_one_blank_between_two_words_and_none_around(texts: list[str]) -> None:
    found = words(*texts)

    assert found == " ".join(found.split())
    assert len(found.encode()) <= MAX_BYTES
