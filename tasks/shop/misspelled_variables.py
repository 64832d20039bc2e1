"""
Variables of the environment that were meant for us, and are none of ours.

A wrong value ends the process; a wrong name would be passed over in silence, and the
shop would run with what nobody wanted.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

PREFIX = "RECOUNT_"
"""What begins so is ours, whatever follows."""
OF_KUBERNETES = re.compile(r"RECOUNT_SERVICE_(HOST|PORT)\w*|RECOUNT_PORT_\d+_\w+")
"""What it sets in every pod beside a service that is called recount."""
SHORT = 10
"""Names with fewer letters are near to many others: they may differ by one letter."""

MIN_LENGTH = 6
"""Names with fewer letters are written rightly, or are others'."""

GENERIC = re.compile(
    r"(.*_)?(DATABASE_URL|REDIS_URL)|(SECRET|MASTER)_KEY|LOG_\w+|[A-Z]+"
)
"""Names that others have with a prefix of theirs: FLASK_SECRET_KEY is none of ours."""


class MisspelledVariable(NamedTuple):
    """A variable that is none of ours, and the one that it was taken for."""

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
    Return the variables that are near to one of *names* and are none of them.

    One is left out where what it is near to is set as well: who sets both has another
    program to serve. So is one without a value.
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
    """Return which of *names* a variable was taken for; None for one of others."""
    ranked = [(unlikeness(name, other), other) for other in names]
    best, meant = min(ranked)
    return meant if best <= most_unlike(name, meant) else None


def most_unlike(name: str, meant: str) -> int:
    """Return how many letters may differ where *name* was taken for *meant*."""
    if OF_KUBERNETES.fullmatch(name):
        return -1
    if name.upper().startswith(PREFIX):
        # Our own prefix: nobody else's variable, however far it is from all of ours.
        return max(len(name), len(meant))
    letters = len(bare(meant))
    if letters < MIN_LENGTH:
        return 0
    return 1 if letters < SHORT else 2


def unlikeness(name: str, other: str) -> int:
    """
    Return by how many letters two names differ, 0 for the same words.

    Capitals, underscores, the order of the words, our prefix, and before what is ours
    alone anybody's, make no difference. A number at the end makes it another one:
    DATABASE_URL_2 belongs to somebody.
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
    """Return by how many slips of a typist *one* became *other*: optimal alignment."""
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
