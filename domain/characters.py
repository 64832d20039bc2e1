"""
Which characters a text may have: what people can see, and what their scripts need.

Two texts that look the same are the same to people, and a text whose direction is
turned shows something else than it is. So what is neither seen nor needed is refused,
by name.
"""

import re
import unicodedata

MARKS = ("Mn", "Mc", "Me")
NON_JOINER, JOINER, ZERO_WIDTH_SPACE = "\u200c", "\u200d", "\u200b"
JOINING_SCRIPTS = re.compile(
    "ADLAM|ARABIC|BALINESE|BENGALI|BRAHMI|CHAKMA|DEVANAGARI|GRANTHA|GUJARATI|GURMUKHI"
    "|HANIFI|JAVANESE|KAITHI|KANNADA|KHMER|LAO|MALAYALAM|MANDAIC|MEETEI|MONGOLIAN"
    "|MYANMAR|NEWA|NKO|ORIYA|PHAGS-PA|SHARADA|SINHALA|SYRIAC|TAI|TAMIL|TELUGU|THAI"
    "|TIBETAN|TIRHUTA"
)
"""Those in which ZWJ and ZWNJ tell one word from another."""
SCRIPTS_WITHOUT_BLANKS = ("THAI", "LAO", "KHMER", "MYANMAR", "TAI", "TIBETAN")
"""Those in which a zero-width space shows where a word ends."""

SHOWN_FORMATS = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2"
    "\U000110bd\U000110cd"
)
"""Signs before Arabic, Syriac and Kaithi numbers: formats by category, and shown."""
UNSEEN_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters and marks by category that show nothing: fillers, and a joiner of marks."""
BLANKS = frozenset("\u2800\U0001d159")
"""Symbols that show nothing: they may stand in a text, but alone they are none."""

CONTROLS = {
    "\t": "CHARACTER TABULATION",
    "\n": "LINE FEED",
    "\r": "CARRIAGE RETURN",
    "\x08": "BACKSPACE",
    "\x1b": "ESCAPE",
    "\x7f": "DELETE",
    "\x85": "NEXT LINE",
}
"""Names of characters that Python has no name for."""
LINE_BREAKS = "\t\n\r"


def problem_with(text: str, *, has_lines: bool = False) -> str | None:
    """
    Return what is wrong with the characters of *text*, or None.

    With *has_lines* it may have ends of lines and tabulators.
    """
    # Most texts: all of it is printed, and letters or figures are among it.
    if text.isascii() and text.isprintable() and not text.isspace():
        return None
    for place, character in enumerate(text):
        if has_lines and character in LINE_BREAKS:
            continue
        if is_refused(text, place):
            return (
                f"must not contain {name_character(character)} at position {place + 1}"
            )
    if not any(map(is_seen, text)):
        return "must have a character that can be seen"
    return None


def is_refused(text: str, place: int) -> bool:
    """Return whether the character at *place* is not allowed there."""
    character = text[place]
    category = unicodedata.category(character)
    before = text[place - 1 : place]
    if character in UNSEEN_LETTERS:
        return True
    if is_variation_selector(character):
        # It says how the character before it looks; more of them hide a message.
        return not before or before.isspace() or is_variation_selector(before)
    if category == "Cf":
        return not is_needed(character, before, text[place + 1 : place + 2])
    if category == "Cn":
        # What a newer Unicode knows is accepted, what never becomes a character is not.
        return is_noncharacter(character)
    return category in ("Cc", "Co", "Cs", "Zl", "Zp")


def is_needed(character: str, before: str, after: str) -> bool:
    """Return whether a format character between these two changes the display."""
    if character in SHOWN_FORMATS:
        return True
    if character == ZERO_WIDTH_SPACE:
        return all(script_of(c) in SCRIPTS_WITHOUT_BLANKS for c in (before, after))
    if character == JOINER and after and is_symbol(after):
        return bool(before) and (is_symbol(before) or is_variation_selector(before))
    is_joining = JOINING_SCRIPTS.fullmatch(script_of(before)) is not None
    return is_joining and character in (JOINER, NON_JOINER)


def is_seen(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cn":
        return not is_noncharacter(character)
    is_shown = category[0] in "LNPS" or character in SHOWN_FORMATS
    return is_shown and character not in UNSEEN_LETTERS | BLANKS


def script_of(character: str) -> str:
    """Return the script of a letter or mark, as Unicode names it, or nothing."""
    if not character or unicodedata.category(character)[0] not in "LM":
        return ""
    return unicodedata.name(character, "").partition(" ")[0]


def is_symbol(character: str) -> bool:
    return unicodedata.category(character) in ("So", "Sm", "Sk")


def is_variation_selector(character: str) -> bool:
    return (
        "\ufe00" <= character <= "\ufe0f"
        or "\U000e0100" <= character <= "\U000e01ef"
        or "\u180b" <= character <= "\u180d"
        or character == "\u180f"
    )


def is_noncharacter(character: str) -> bool:
    code = ord(character)
    return 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE


def name_character(character: str) -> str:
    """Return code and name of a character, like `U+202E RIGHT-TO-LEFT OVERRIDE`."""
    kinds = {"Cc": "a control character", "Co": "a character of private use"}
    name = (
        unicodedata.name(character, "")
        or CONTROLS.get(character, "")
        or kinds.get(unicodedata.category(character), "which is no character")
    )
    return f"U+{ord(character):04X} {name}"
