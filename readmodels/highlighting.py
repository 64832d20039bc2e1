"""Where the words of a search stand in the texts of a row that was found."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from readmodels.asked_words import Term, terms_of
from readmodels.phones import MARK, MAX_DIGITS, plain_digits
from readmodels.row_words import is_part
from readmodels.typos import is_like, may_be_typo
from readmodels.words import bare


class Segment(NamedTuple):
    """A piece of a shown text; *is_hit* says whether it is what was asked for."""

    text: str
    is_hit: bool


Span = tuple[int, int]
"""From the first letter of a text to the one behind the last."""

_words = re.compile("[^ ]+")
# What is one letter, or goes with the one before: put together by `bare`.
_letters = re.compile("[\u1100-\u11ff]+|.", re.DOTALL)


def highlight(texts: Mapping[str, str], asked: str) -> dict[str, list[Segment]]:
    """
    Return the *texts* of a row, by name, in segments, with what was *asked* as hits.

    Each word is looked for as the search does it, in all texts: as the beginning of a
    word, then within one, then with a slip; only the best of these is a hit. Segments
    put together are the text.
    """
    folded = {name: FoldedText.of(text) for name, text in texts.items()}
    spans: dict[str, list[Span]] = {name: [] for name in texts}
    for term in terms_of(asked):
        for way_of_looking in (begun, within, mistyped):
            hits = {name: list(way_of_looking(t, term)) for name, t in folded.items()}
            if any(hits.values()):
                for name, found in hits.items():
                    spans[name] += found
                break
    return {name: segments(text, spans[name]) for name, text in texts.items()}


@dataclass(frozen=True, slots=True)
class FoldedText:
    """
    A shown *text* as it is compared, *folded*.

    Letter n of *folded* is that of the text at `starts[n]` to `ends[n]`.
    """

    text: str
    folded: str
    starts: list[int]
    ends: list[int]

    @classmethod
    def of(cls, text: str) -> "FoldedText":
        folded, starts, ends = [], [], []
        for start, end in clusters(text):
            for letter in bare(text[start:end]):
                folded.append(letter)
                starts.append(start)
                ends.append(end)
        return cls(text, "".join(folded), starts, ends)

    def words(self) -> Iterator[re.Match[str]]:
        return _words.finditer(self.folded)

    def span(self, start: int, end: int) -> Span:
        """Return where letters of *folded* stand in the text."""
        return self.starts[start], self.ends[end - 1]


def clusters(text: str) -> Iterator[Span]:
    """Yield the letters of *text*, each with the marks that belong to it."""
    start = end = 0
    for letter in _letters.finditer(text):
        goes_on = unicodedata.category(letter[0][0]) in ("Mn", "Me", "Cf")
        if not goes_on and end > start:
            yield start, end
            start = letter.start()
        end = letter.end()
    if end > start:
        yield start, end


def begun(text: FoldedText, term: Term) -> Iterator[Span]:
    """Yield what *term* is the beginning of."""
    for way in term.ways:
        for asked in way:
            if asked.startswith(MARK) and asked[len(MARK) :].isdigit():
                yield from numbers(text.text, asked[len(MARK) :])
            for word in text.words():
                if word[0].startswith(asked):
                    yield text.span(word.start(), word.start() + len(asked))


def within(text: FoldedText, term: Term) -> Iterator[Span]:
    """Yield where *term* stands within words."""
    asked = term.word
    if asked is None or not is_part(asked):
        return
    for word in text.words():
        place = word[0].find(asked)
        if place > 0:
            start = word.start() + place
            yield text.span(start, start + len(asked))


def mistyped(text: FoldedText, term: Term) -> Iterator[Span]:
    """Yield the words that were meant if *term* has a slip."""
    if term.word is not None and may_be_typo(term.word):
        for word in text.words():
            if is_like(term.word, word[0]):
                yield text.span(*word.span())


def numbers(text: str, asked: str) -> Iterator[Span]:
    """Yield where the digits *asked* begin with a group, whatever is between them."""
    written = plain_digits(text)
    digits = [(m[0], m.start()) for m in re.finditer("[0-9]", written)]
    if trunk := re.search(r"\(\s*0\s*\)", written):
        digits = [one for one in digits if not trunk.start() < one[1] < trunk.end()]
    line = "".join(digit for digit, _ in digits)[: 2 * MAX_DIGITS]
    place = line.find(asked)
    if place < 0:
        return
    last = place + len(asked) - 1
    # Zeros before it are not kept with it.
    while place and line[place - 1] == "0":
        place -= 1
    yield digits[place][1], digits[last][1] + 1


def segments(text: str, spans: list[Span]) -> list[Segment]:
    """Return *text* cut at *spans*, which may lie over each other."""
    pieces: list[Segment] = []
    end = 0
    for first, last in joined_spans(spans):
        if first > end:
            pieces.append(Segment(text[end:first], False))
        pieces.append(Segment(text[first:last], True))
        end = last
    if end < len(text):
        pieces.append(Segment(text[end:], False))
    return pieces


def joined_spans(spans: list[Span]) -> list[Span]:
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    return found
