"""Searches that fit the made rows, by kind."""

from collections.abc import Iterator, Sequence

from benchmarks.searched_rows import (
    FIRST_NAMES,
    GOODS,
    LAST_NAMES,
    PLACES,
    a_customer,
)

EACH = 40
"""Searches of each kind."""


def searches_of(count: int) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield kinds with texts, for *count* orders: 320 in all."""
    numbers = [n * 7_919 % (count // 13) + 1 for n in range(1, EACH + 1)]
    customers = [a_customer(n) for n in numbers]
    firsts, lasts = FIRST_NAMES.split(), LAST_NAMES.split()
    words = [word for name in GOODS for word in name.replace(",", "").split()]
    longer = [word for word in [*lasts, *words] if len(word) > 5]
    yield "a prefix", [longer[n % len(longer)][:4] for n in range(EACH)]
    yield "a typo", [swapped(longer[n % len(longer)]) for n in range(EACH)]
    yield "a part", [longer[n % len(longer)][2:] for n in range(EACH)]
    yield "a phone", [one.phone or "" for one in customers]
    yield "a city", [PLACES[n % 8][n // 8 % 2] for n in range(EACH)]
    yield "a product", [GOODS[n % 12] for n in range(EACH)]
    yield "an order's number", [str(n * 104_729 % count + 1) for n in range(EACH)]
    yield (
        "two words",
        [f"{firsts[n % 26]} {lasts[n * 7 % 26][:4]}" for n in range(EACH)],
    )


def swapped(word: str) -> str:
    """Return the word with two letters in the wrong order, as fingers do it."""
    return word[:2] + word[3] + word[2] + word[4:]
