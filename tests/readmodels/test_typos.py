"""A slip is one letter; what is guessed is the same on both ways."""

from hypothesis import given
from hypothesis import strategies as st

from readmodels.typos import is_like, is_one_slip, may_be_typo, variants_of

WORDS = st.text("abcdefz", min_size=3, max_size=9)


def test_a_slip_is_a_letter_missing_too_much_wrong_or_in_anothers_place() -> None:
    for slip in ("muler", "mulller", "mulier", "mulelr"):
        assert "muller" in variants_of(slip)
        assert is_one_slip(slip, "muller")


def test_two_slips_are_too_many() -> None:
    for slip in ("mle", "mulelrr", "nulier", "umllre"):
        assert "muller" not in variants_of(slip)
        assert not is_one_slip(slip, "muller")


def test_letters_of_other_alphabets_are_guessed() -> None:
    assert "αθηνα" in variants_of("αθινα")
    assert "москва" in variants_of("масква")


def test_a_number_is_not_guessed() -> None:
    assert not any(map(may_be_typo, ["10248", "1z999", "c1", "ab", "佐藤さま", ""]))
    assert may_be_typo("abc")


def test_a_long_word_may_be_the_beginning_of_one() -> None:
    assert is_like("futtrk", "futterkiste")
    assert not is_like("fttr", "futterkiste")


@given(WORDS, WORDS)
def test_a_variant_is_what_differs_by_one_slip(word: str, other: str) -> None:
    assert (other in variants_of(word)) == is_one_slip(word, other)


@given(WORDS)
def test_a_word_is_no_variant_of_itself(word: str) -> None:
    assert word not in variants_of(word)
