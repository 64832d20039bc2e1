"""PostgreSQL crashes while commands wait, and comes back with another clock."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from random import Random

from embedded import postgres
from tests.faults.breaking.victims import NOBODY, every, wait_a_little
from tests.faults.desk import Desk
from tests.faults.kind import MISSED, Kind, Seconds, Strike
from tests.support.waiting import wait_until

AHEAD: Seconds = (1.0, 4.0)
MINUTE, DAY = 60, 24 * 3600
STEPS = {"1 s back": -1, "1 min back": -MINUTE, "1 day back": -DAY, "1 day ahead": DAY}
ENOUGH = 20
"""So many commands wait before the server crashes."""
SERVER = "postgres"


def stepping(seconds: int) -> Strike:
    """
    Let the server crash and come back with a clock that is *seconds* off, and again.

    Both times workers and relays are stopped for as long as commands come to wait.
    """

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        del chance
        if not crash_under(desk, seconds):
            yield NOBODY
            return
        is_off = abs(desk.clock_ahead() - seconds) < 1
        try:
            yield f"by {seconds} s" if is_off else f"{MISSED}: its clock cannot be set"
        finally:
            crash_under(desk, 0)

    return strike


def crash_under(desk: Desk, seconds: int) -> bool:
    """Crash the server while commands wait; it is back with the clock shifted."""
    stopped = [n for of in ("worker", "relay") for n in every(of)(desk, Random())]
    frozen = [name for name in stopped if desk.keeper.freeze(name)]
    try:
        wait_a_little(lambda: desk.under_way() >= ENOUGH)
        server = desk.keeper.leader(SERVER)
        if server is None:
            return False
        desk.keeper.hold(SERVER)
        desk.keeper.end(SERVER, signal.SIGQUIT)
        wait_until(lambda: not server.is_running(), "PostgreSQL has ended", seconds=20)
        desk.clocks.shift(SERVER, seconds)
        desk.keeper.let_go(SERVER)
        is_back = partial(postgres.is_ready, desk.folders)
        wait_until(is_back, "PostgreSQL answers", seconds=30)
    finally:
        desk.keeper.let_go(SERVER)
        for name in frozen:
            desk.keeper.thaw(name)
    return True


def own_clock(desk: Desk) -> str:
    return desk.clocks.why_not


KINDS = tuple(
    Kind(f"PostgreSQL's clock {name}", AHEAD, stepping(seconds), needs=own_clock)
    for name, seconds in STEPS.items()
)
NAMES = frozenset(kind.name for kind in KINDS)
