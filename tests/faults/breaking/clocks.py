"""The clocks of the shop's processes go apart, by hours."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from tests.faults.breaking.steps import STEPS
from tests.faults.desk import Desk
from tests.faults.kind import Kind, Seconds, Strike
from tests.faults.programs import OF_SHOP

APART: Seconds = (1.0, 5.0)
HOUR = 3600


def shifting(*hours: int) -> Strike:
    """Let the clocks of some processes jump, each by one of so many hours."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        names = chance.sample(OF_SHOP, chance.randint(1, len(OF_SHOP) - 1))
        for name in names:
            desk.clocks.shift(name, chance.choice(hours) * HOUR)
        try:
            yield f"of {', '.join(names)}"
        finally:
            for name in names:
                desk.clocks.shift(name, 0)

    return strike


def stepping(role: str) -> Strike:
    """Let the clock of one role's processes jump, by a little or by a day."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        names = [name for name in OF_SHOP if name.startswith(role)]
        name, seconds = chance.choice(sorted(STEPS.items()))
        for of_role in names:
            desk.clocks.shift(of_role, seconds)
        try:
            yield f"of {', '.join(names)}: {name}"
        finally:
            for of_role in names:
                desk.clocks.shift(of_role, 0)

    return strike


def own_clocks(desk: Desk) -> str:
    return desk.clocks.why_not


KINDS = (
    Kind("clocks ahead", APART, shifting(1), needs=own_clocks),
    Kind("clocks behind", APART, shifting(-1), needs=own_clocks),
    Kind("clocks apart", APART, shifting(-1, 1, 25), needs=own_clocks),
    *(
        Kind(f"clock of {role} steps", APART, stepping(role), needs=own_clocks)
        for role in ("web", "worker", "relay", "beat")
    ),
)
