"""Carry out a plan: each fault in its time, while there is work under way."""

import random
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from tests.faults.desk import Desk
from tests.faults.kinds import MISSED, Kind
from tests.faults.plan import PlannedFault

PATIENCE = 2.0
"""Seconds that a fault waits for work to be under way, before it strikes anyway."""


class Struck(NamedTuple):
    """A fault that struck, and what it met."""

    kind: str
    detail: str
    begun: datetime
    lasting: float
    under_way: int
    """So many commands were accepted and not final just then."""


class Lasting(NamedTuple):
    """A fault that goes on until it is mended, at a time of the monotonic clock."""

    until: float
    victim: str
    fault: AbstractContextManager[str]


@dataclass
class Injector:
    """One run of a plan; `strike_all` is for a thread of its own."""

    desk: Desk
    kinds: Mapping[str, Kind]
    plan: Sequence[PlannedFault]
    struck: list[Struck] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    """The kinds of those that found nothing to strike."""
    stopped: threading.Event = field(default_factory=threading.Event)

    def strike_all(self) -> None:
        """Strike and mend in time, until the plan is done or it is told to stop."""
        start = time.monotonic()
        lasting: list[Lasting] = []
        try:
            for planned in self.plan:
                at = start + planned.at
                victim = self.kinds[planned.kind].victim
                # What is late may still hold the victim that is planned to be free.
                for one in sorted(lasting, key=lambda one: one.until):
                    if one.until <= at or one.victim == victim:
                        self.mend(one, lasting)
                if self.wait(at):
                    break
                fault = self.strike(planned)
                until = time.monotonic() + planned.lasting
                lasting.append(Lasting(until, victim, fault))
            for one in sorted(lasting, key=lambda one: one.until):
                self.mend(one, lasting)
        finally:
            for one in lasting:
                one.fault.__exit__(None, None, None)

    def mend(self, one: "Lasting", lasting: list["Lasting"]) -> None:
        """Mend a fault at its time, or at once when all is to end."""
        self.wait(one.until)
        lasting.remove(one)
        one.fault.__exit__(None, None, None)

    def wait(self, until: float) -> bool:
        """Wait for a time of the monotonic clock; return whether it is to end."""
        return self.stopped.wait(max(0.0, until - time.monotonic()))

    def strike(self, planned: PlannedFault) -> AbstractContextManager[str]:
        under_way = self.work_under_way()
        chance = random.Random(planned.seed)
        fault = self.kinds[planned.kind].strike(self.desk, chance)
        begun = datetime.now(UTC)
        detail = fault.__enter__()
        if detail.startswith(MISSED):
            self.missed.append(planned.kind)
            return fault
        self.struck.append(
            Struck(planned.kind, detail, begun, planned.lasting, under_way)
        )
        return fault

    def work_under_way(self) -> int:
        """Wait a little for commands that are under way; return how many there are."""
        until = time.monotonic() + PATIENCE
        while not (under_way := self.desk.under_way()) and time.monotonic() < until:
            if self.stopped.wait(0.005):
                break
        return under_way
