"""Whom a fault strikes among the processes that are kept, and how."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random

from tests.faults.desk import Desk
from tests.faults.keeper import Keeper
from tests.faults.kind import Strike

Choice = Callable[[Desk, Random], Sequence[str]]
Deed = Callable[[Keeper, str], None]


def one(kind: str) -> Choice:
    """Choose one of a kind, by chance."""
    return lambda desk, chance: [chance.choice(desk.keeper.named(kind))]


def every(kind: str) -> Choice:
    """Choose all of a kind."""
    return lambda desk, chance: desk.keeper.named(kind)


def blow(deed: Deed, choose: Choice, word: str) -> Strike:
    """Do something to the chosen, who are as before when they are started again."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        names = choose(desk, chance)
        for name in names:
            deed(desk.keeper, name)
        yield f"{word} {', '.join(names)}"

    return strike


def spell(begin: Deed, end: Deed, choose: Choice, word: str) -> Strike:
    """Do something to the chosen, and undo it after a while."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        names = choose(desk, chance)
        for name in names:
            begin(desk.keeper, name)
        try:
            yield f"{word} {', '.join(names)}"
        finally:
            for name in names:
                end(desk.keeper, name)

    return strike


def killing(choose: Choice) -> Strike:
    return blow(Keeper.kill, choose, "-9")


def freezing(choose: Choice) -> Strike:
    """Stop the chosen where they are, with what they hold."""
    return spell(Keeper.freeze, Keeper.thaw, choose, "STOP")


def absent(choose: Choice) -> Strike:
    """Kill the chosen, and do not start them again for a while."""
    return spell(Keeper.take_away, Keeper.let_go, choose, "without")
