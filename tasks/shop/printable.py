"""Foreign texts for a terminal: characters that control it are escaped."""

import re

# Control characters, other line separators, marks of the writing direction, and
# surrogates, which cannot be encoded.
_ORDERS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Return *text* with such characters escaped; JSON stays JSON."""
    return _ORDERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
