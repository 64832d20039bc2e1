"""How values out of a file are shown: shortened, and harmless to a terminal."""

LONGEST = 40


def shown(text: str) -> str:
    """Return *text* in quotes, its unprintable characters written out."""
    more = "…" if len(text) > LONGEST else ""
    return f"{text[:LONGEST]!r}{more}"
