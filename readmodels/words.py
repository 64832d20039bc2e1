"""What is searched for: words as people type them, by their beginnings."""

import unicodedata
from functools import lru_cache

MAX_BYTES = 2_000
"""The longest text of all words of a row, in bytes: an index entry is limited."""

# Letters that Unicode takes for letters of their own, and keyboards often have not.
# One WITH something (a stroke, a hook) is found by its name.
PLAIN = {
    "æ": "ae",
    "œ": "oe",
    "ð": "d",
    "þ": "th",
    "\u0131": "i",
    "\u0237": "j",
    "ŋ": "ng",
    "ĸ": "k",
    "ə": "e",
    "ǝ": "e",
    "\u017f": "s",
    "ƿ": "w",
    "ȝ": "g",
    # What is written like an apostrophe parts words as an apostrophe does.
    **dict.fromkeys("\u02b9\u02bb\u02bc\u02bd\u02be\u02bf", " "),
}

# Marks that people leave out. All others are vowels and sounds of their script: without
# them another word is left.
ACCENTS = (
    (0x0300, 0x036F),
    (0x0483, 0x0489),
    (0x0591, 0x05C7),
    (0x0610, 0x061A),
    (0x064B, 0x065F),
    (0x0670, 0x0670),
    (0x06D6, 0x06ED),
    (0x0711, 0x0711),
    (0x0730, 0x074A),
    (0x08CA, 0x08FF),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0x2DE0, 0x2DFF),
    (0xA66F, 0xA69F),
    (0xFE00, 0xFE0F),
    (0xFE20, 0xFE2F),
    (0xE0100, 0xE01EF),
)


def words(*texts: object) -> str:
    """
    Return the words of *texts* as they are compared: `Köln GmbH` is `koln gmbh`.

    What is more than MAX_BYTES in UTF-8 is cut off at the end of all of them.
    """
    joined = " ".join(str(text) for text in texts if text is not None)
    found = " ".join(bare(joined).split()).encode(errors="ignore")
    return found[:MAX_BYTES].decode(errors="ignore").rstrip()


def bare(text: str) -> str:
    """Return *text* in lower case, without accents, and blanks where no word is."""
    if not text.isascii():
        parts = unicodedata.normalize("NFKD", text).casefold()
        parts = unicodedata.normalize("NFKD", parts)
        # Put together again: a Hangul syllable is one letter, and so is a cut safe.
        text = unicodedata.normalize("NFC", "".join(map(plain, parts)))
    else:
        text = text.lower()
    return "".join(c if is_of_a_word(c) else " " for c in text)


@lru_cache(20_000)
def plain(character: str) -> str:
    """Return the letter that is typed for *character*, or nothing for an accent."""
    if character.isascii():
        return character
    if character in PLAIN:
        return PLAIN[character]
    code = ord(character)
    if any(first <= code <= last for first, last in ACCENTS):
        return ""
    if unicodedata.category(character) == "Cf":
        # What joins letters or keeps them apart is not typed.
        return ""
    name, is_with, _ = unicodedata.name(character, "").partition(" WITH ")
    if is_with and name.startswith(("LATIN ", "CYRILLIC ", "GREEK ", "ARABIC ")):
        return letter_called(name) or character
    return character


def letter_called(name: str) -> str:
    """Return the plain letter for a character's name, or an empty text."""
    try:
        return plain(unicodedata.lookup(name))
    except KeyError:
        return ""


@lru_cache(20_000)
def is_of_a_word(character: str) -> bool:
    """Return whether it is a letter, a figure, or a mark that belongs to one."""
    return character.isalnum() or unicodedata.category(character)[0] == "M"
