"""The words that somebody may have meant who typed one of them with a slip."""

from collections.abc import Iterator

from readmodels.row_words import FIRST_UNPARTED

MIN_LETTERS = 3
"""A shorter word has too many that are like it."""
MIN_OF_BEGINNING = 5
"""From so many letters on, what was typed may be the beginning of a word."""
MAX_LETTERS = 24

ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz",
    "αβγδεζηθικλμνξοπρστυφχψω",
    "абвгдежзиклмнопрстуфхцчшщъыьэюя",
)
"""The letters that may be missing or wrong, as `words` writes them."""


def may_be_typo(word: str) -> bool:
    """Return whether *word* is looked for with slips: a number is never guessed."""
    return (
        MIN_LETTERS <= len(word) <= MAX_LETTERS
        # Where no blanks are written, each letter is half a word.
        and word < FIRST_UNPARTED
        and not any(map(str.isdigit, word))
    )


def variants_of(word: str) -> list[str]:
    """
    Return what is one slip away from *word*, in no order and each once.

    A slip is a letter that is missing, too much or wrong, or two that changed places.
    """
    found = dict.fromkeys(slips(word))
    found.pop(word, None)
    return list(found)


def slips(word: str) -> Iterator[str]:
    letters = next((a for a in ALPHABETS if any(c in a for c in word)), "")
    for place in range(len(word) + 1):
        before, after = word[:place], word[place:]
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in letters)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        yield from (before + letter + after for letter in letters)


def is_like(word: str, other: str) -> bool:
    """
    Return whether *word*, as it was typed, is one slip away from *other*.

    A long one may be the beginning of it.
    """
    if len(word) < MIN_OF_BEGINNING:
        return is_one_slip(word, other)
    sizes = (len(word) - 1, len(word), len(word) + 1)
    return any(is_one_slip(word, other[:size]) for size in sizes)


def is_one_slip(one: str, other: str) -> bool:
    """Return whether the two differ by exactly one slip."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    rest, rest_of_other = one[same:], other[same:]
    if len(rest) == len(rest_of_other):
        swapped = rest[1::-1] + rest[2:]
        return rest_of_other in (swapped, rest_of_other[:1] + rest[1:])
    return rest[1:] == rest_of_other or rest == rest_of_other[1:]
