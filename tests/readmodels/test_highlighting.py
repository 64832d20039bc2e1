"""What was asked for is marked in the text as it is shown."""

# ruff: noqa: RUF001  # letters of all scripts, on purpose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readmodels.highlighting import highlight


def marked(text: str, asked: str) -> str:
    """Return *text* with brackets around what was found."""
    pieces = highlight({"text": text}, asked)["text"]
    return "".join(f"[{t}]" if is_hit else t for t, is_hit in pieces)


@pytest.mark.parametrize(
    ("text", "asked", "expected"),
    [
        ("Müller", "mull", "[Müll]er"),
        ("Mu\u0308ller", "mull", "[Mu\u0308ll]er"),
        ("Straße 5", "strass", "[Straß]e 5"),
        ("Straße 5", "stras", "[Straß]e 5"),
        ("Søren Ærø", "ae soren", "[Søren] [Æ]rø"),
        ("Diyarbakır", "DIYARBAKIR", "[Diyarbakır]"),
        ("İstanbul", "ist", "[İst]anbul"),
        ("Zum Goldenen Käuzchen", "zum kau", "[Zum] Goldenen [Käu]zchen"),
        ("O'Brien", "o’brien", "[O]'[Brien]"),
        ("Weinberg am Berg", "berg", "Weinberg am [Berg]"),
        ("Weinberg", "berg", "Wein[berg]"),
        ("Weinberg", "er", "Weinberg"),
        ("Alfreds Futterkiste", "futterkitse", "Alfreds [Futterkiste]"),
        ("+49 (0)30-123 456", "030123456", "+49 (0)[30-123 456]"),
        ("030-0074321", "+49 30 0074", "[030-0074]321"),
        ("佐藤 遥", "佐", "[佐]藤 遥"),
        ("가나", "가", "[가]나"),
        ("a<b>&c", "b", "a<[b]>&c"),
        ("Alice", "--", "Alice"),
        ("", "a", ""),
    ],
)
def test_what_was_found_is_marked(text: str, asked: str, expected: str) -> None:
    assert marked(text, asked) == expected


def test_only_the_best_of_all_texts_is_marked() -> None:
    texts = {"city": "Berlin", "name": "Merlin Oberlin"}
    found = highlight(texts, "berlin")

    assert found["city"] == [("Berlin", True)]
    assert found["name"] == [("Merlin Oberlin", False)]


@given(st.text(max_size=40), st.text(max_size=20))
def test_the_pieces_are_the_text(text: str, asked: str) -> None:
    pieces = highlight({"text": text}, asked)["text"]

    assert "".join(piece for piece, _ in pieces) == text
    assert all(piece for piece, _ in pieces)
