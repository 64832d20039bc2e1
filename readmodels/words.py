"""What is searched for: words without accents, in lower case, by their beginnings."""

import re
import unicodedata

import sqlalchemy as sa

WORD = re.compile(r"[^\W_]+")
MOST_CHARACTERS = 300
"""An index has no room for more, and nobody types it."""


def words(*texts: object) -> str:
    """Return the words of *texts* as they are compared: `Köln GmbH` is `koln gmbh`."""
    joined = " ".join(str(text) for text in texts if text is not None)
    found = WORD.findall(bare(joined[:MOST_CHARACTERS]))
    return " ".join(found)[:MOST_CHARACTERS].rstrip()


def bare(text: str) -> str:
    """Return *text* in lower case and without accents."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text).casefold()
    return "".join(c for c in parts if not unicodedata.combining(c))


def index_of(expression: str) -> str:
    """Return the SQL of what an index of the words in *expression* is over."""
    return f"array_to_tsvector(string_to_array({expression}, ' '))"


def has_words(expression: str, asked: str) -> sa.ColumnElement[bool]:
    """Return the condition that each word of *asked* begins one in *expression*."""
    wanted = " & ".join(f"'{word}':*" for word in words(asked).split())
    if not wanted:
        # Nothing but signs was typed, and nothing is called that.
        return sa.false()
    return sa.text(f"{index_of(expression)} @@ CAST(:wanted AS tsquery)").bindparams(  # type: ignore[return-value]  # a condition all the same
        wanted=wanted
    )
