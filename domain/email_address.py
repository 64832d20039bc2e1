"""E-mail addresses: which are valid, and when two are equal."""

import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass

from domain.characters import JOINER, MARKS, NON_JOINER

FORM = "must be an e-mail address like alice@example.com"
ASCII_OF_LOCAL_PART = frozenset("!#$%&'*+/=?^_`{|}~-")
MAX_LABEL_LENGTH = 63


@dataclass(frozen=True, slots=True)
class EmailForm:
    """
    The form of an e-mail address: RFC 5321 without quotes, RFC 6531 with all letters.

    A dot or a comma at its end makes another address of it, or none.
    """

    def problem(self, value: str) -> str | None:
        local, at, domain = value.rpartition("@")
        atoms, labels = local.split("."), domain.split(".")
        is_one = bool(at) and len(labels) > 1
        is_one = is_one and all(map(is_atom, atoms)) and all(map(is_label, labels))
        return None if is_one else FORM


def is_atom(text: str) -> bool:
    return bool(text) and all(
        is_part_of_word(c) or c in ASCII_OF_LOCAL_PART for c in text
    )


def is_label(text: str) -> bool:
    """Return whether *text* is a part of a domain's name, in letters or in punycode."""
    if not 0 < len(text) <= MAX_LABEL_LENGTH or text[0] == "-" or text[-1] == "-":
        return False
    return all(is_part_of_word(c) or c == "-" for c in text)


def is_part_of_word(character: str) -> bool:
    """Return whether it is a letter, a figure, or what belongs to one."""
    if character.isalnum() or character in (JOINER, NON_JOINER):
        return True
    return unicodedata.category(character) in MARKS


def same_address(email: str) -> str:
    """
    Return one text for all the ways in which people write an address.

    That the part before the @ may differ by case is the standard, and no mailbox of a
    shop's customers: who writes it in capitals is the same person. The domain is
    compared as IDNA 2008 does: by its letters in lower case, whether they are written
    or in punycode. `straße` and `strasse` are two, there and before the @.
    """
    local, _, domain = email.strip().rpartition("@")
    labels = map(same_label, re.split("[.\u3002\uff0e\uff61]", domain))
    return f"{unicodedata.normalize('NFC', local.lower())}@{'.'.join(labels)}"


def same_label(label: str) -> str:
    label = unicodedata.normalize("NFKC", label).lower()
    if label.startswith("xn--"):
        # What is no punycode is compared as it is written.
        with suppress(UnicodeError):
            label = label.removeprefix("xn--").encode("ascii").decode("punycode")
    return unicodedata.normalize("NFC", label.lower())


def address_before_idna_2008(email: str) -> str:
    """Return the form that earlier versions compared: with `ß` as `ss`."""
    return unicodedata.normalize("NFC", email.strip().casefold())
