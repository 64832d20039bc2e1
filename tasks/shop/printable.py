"""Texts of others on a terminal: what it would take for an order is written out."""

import re

# Control characters, what ends a line elsewhere, what turns the direction of writing,
# and half a character, which cannot even be written.
_ORDERS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Return *text* without what a terminal takes for an order; JSON stays JSON."""
    return _ORDERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
