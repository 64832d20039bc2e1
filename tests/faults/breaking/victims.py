"""Whom a fault strikes among the processes that are kept, and how."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from random import Random

from tests.faults.desk import Desk
from tests.faults.keeper import Keeper
from tests.faults.kind import MISSED, Strike
from tests.support.waiting import wait_until

Choice = Callable[[Desk, Random], Sequence[str]]
Deed = Callable[[Keeper, str], bool]
"""Return whether there was anybody to do it to."""
Undoing = Callable[[Keeper, str], object]

PATIENCE = 3.0
"""Seconds to wait for who was struck just now, and comes again."""
NOBODY = f"{MISSED}: none of them runs"


def one(kind: str) -> Choice:
    """Choose one of a kind, by chance."""
    return lambda desk, chance: [chance.choice(running(desk, kind))]


def every(kind: str) -> Choice:
    """Choose all of a kind."""
    return lambda desk, chance: running(desk, kind)


def running(desk: Desk, kind: str) -> Sequence[str]:
    """Return those of a kind; who was struck just now has a little time to come."""
    names = desk.keeper.named(kind)
    wait_a_little(lambda: all(map(desk.keeper.leader, names)))
    return names


def wait_a_little(condition: Callable[[], object]) -> None:
    with suppress(AssertionError):
        wait_until(condition, "the victims are there", seconds=PATIENCE)


def blow(deed: Deed, choose: Choice, word: str) -> Strike:
    """Do something to the chosen, who are as before when they are started again."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        names = [name for name in choose(desk, chance) if deed(desk.keeper, name)]
        yield f"{word} {', '.join(names)}" if names else NOBODY

    return strike


def spell(begin: Deed, end: Undoing, choose: Choice, word: str) -> Strike:
    """Do something to the chosen, and undo it after a while."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        names = choose(desk, chance)
        struck = [name for name in names if begin(desk.keeper, name)]
        try:
            yield f"{word} {', '.join(struck)}" if struck else NOBODY
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
