"""
Find misspelled names of our variables in the environment.

A wrong value ends the process; a wrong name would be ignored, and the shop would run
with the variable's default.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

PREFIX = "RECOUNT_"
"""All variables with this prefix are ours."""
OF_KUBERNETES = re.compile(r"RECOUNT_SERVICE_(HOST|PORT)\w*|RECOUNT_PORT_\d+_\w+")
"""Variables that it sets in every pod if a service is called recount."""
SHORT = 10
"""Names with fewer letters resemble many others: they may differ by one letter."""

MIN_LENGTH = 7
"""Names with fewer letters are never taken for misspelled ones: LOCAL is no LOCALE."""

GENERIC = re.compile(
    r"(.*_)?(DATABASE|REDIS|CACHE|SEARCH|DOCUMENTS)_URL|(SECRET|MASTER)_KEY"
    r"|LOG_\w+|[A-Z]+"
)
"""Names that others use with a prefix: FLASK_SECRET_KEY is not ours."""


class MisspelledVariable(NamedTuple):
    """A variable that is not ours, and our variable that was probably meant."""

    name: str
    meant: str

    def __str__(self) -> str:
        return (
            f"{self.name} is no variable of ours: did you mean {self.meant}? Where"
            f" another program reads it, set {self.meant} as well"
        )


def find_misspelled(
    environment: Mapping[str, str], names: Collection[str]
) -> list[MisspelledVariable]:
    """
    Return the variables that resemble one of *names* and are none of them.

    It is left out if the name that it resembles is set, too: then it belongs to another
    program. So is a variable without a value.
    """
    ours = sorted(names)
    found = []
    for name, value in sorted(environment.items()):
        if not value or name in names:
            continue
        meant = nearest(name, ours)
        if meant is not None and not environment.get(meant):
            found.append(MisspelledVariable(name, meant))
    return found


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return which of *names* a variable resembles most; None if none of them."""
    ranked = [(unlikeness(name, other), other) for other in names]
    best, meant = min(ranked)
    return meant if best <= most_unlike(name, meant) else None


def most_unlike(name: str, meant: str) -> int:
    """Return how many letters may differ for *name* to count as *meant*."""
    if OF_KUBERNETES.fullmatch(name):
        return -1
    if name.upper().startswith(PREFIX):
        # Our own prefix: it is ours, however different from all others.
        return max(len(name), len(meant))
    letters = len(bare(meant))
    if letters < MIN_LENGTH:
        return 0
    return 1 if letters < SHORT else 2


def unlikeness(name: str, other: str) -> int:
    """
    Return by how many letters two names differ, 0 for the same words.

    Capitals, underscores, the order of words and our prefix are ignored; before a name
    that only we use, so is any prefix. A number at the end makes another name:
    DATABASE_URL_2 belongs to another program.
    """
    if other.startswith(PREFIX):
        return distance(name.upper(), other)
    if words(name) == words(other):
        return 0
    if bare(name).endswith(bare(other)) and not GENERIC.fullmatch(other):
        return 0
    if re.search(r"\d$", name) and not re.search(r"\d$", other):
        return max(len(name), len(other)) + 1
    return distance(bare(name), bare(other))


def words(name: str) -> list[str]:
    return sorted(part for part in without_prefix(name).split("_") if part)


def bare(name: str) -> str:
    return without_prefix(name).replace("_", "")


def without_prefix(name: str) -> str:
    return re.sub(r"[-.\s]", "_", name).upper().removeprefix(PREFIX)


def distance(one: str, other: str) -> int:
    """Return the number of typing errors from *one* to *other*: optimal alignment."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, start=1):
        before, last, row = row, before, [place]
        for at, wanted in enumerate(other, start=1):
            cost = min(
                before[at] + 1,
                row[at - 1] + 1,
                before[at - 1] + (letter != wanted),
            )
            is_swapped = (
                at > 1
                and place > 1
                and letter == other[at - 2]
                and wanted == one[place - 2]
            )
            row.append(min(cost, last[at - 2] + 1) if is_swapped else cost)
    return row[-1]
