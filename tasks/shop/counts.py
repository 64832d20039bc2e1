"""Numbers of things, in words."""


def count_in_words(count: int, one: str, many: str = "") -> str:
    """Return *count* with the word for it: `1 order`, `830 orders`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"
