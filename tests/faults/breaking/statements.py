"""A process dies, or loses its connection, exactly at a chosen statement."""

from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from embedded.logins import login_of
from tests.faults.arming import How, When
from tests.faults.desk import Desk
from tests.faults.kind import BLOW, MISSED, Kind, Strike

PATIENCE = 3.0
"""Seconds to wait for somebody who comes by."""


def at(step: str, when: When, how: How, role: str = "") -> Strike:
    """Wait for the next one who executes *step*, and strike him there."""
    user = login_of(role) if role else ""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        with desk.proxy.armed(step, when, how, user=user) as number:
            struck = desk.proxy.wait_for(number, seconds=PATIENCE)
        if struck:
            yield f"{how} {struck[0]} at {step}, {when}"
        else:
            yield f"{MISSED}: nobody came by {step}"

    return strike


KINDS = (
    Kind("die before accepting", BLOW, at("accept", "before", "kill")),
    Kind("die while accepting", BLOW, at("accept", "sent", "kill")),
    Kind("die after accepting", BLOW, at("accept", "answered", "kill")),
    Kind("die before taking", BLOW, at("take", "before", "kill")),
    Kind("die while taking", BLOW, at("take", "sent", "kill")),
    Kind("die after taking", BLOW, at("take", "answered", "kill")),
    Kind("die before finishing", BLOW, at("finish", "before", "kill")),
    Kind("die while finishing", BLOW, at("finish", "sent", "kill")),
    Kind("die after finishing", BLOW, at("finish", "answered", "kill")),
    Kind("die before moving", BLOW, at("move_checkpoint", "before", "kill")),
    Kind("die while moving", BLOW, at("move_checkpoint", "sent", "kill")),
    Kind("die after moving", BLOW, at("move_checkpoint", "answered", "kill")),
    Kind("die before acting", BLOW, at("record_progress", "before", "kill")),
    Kind("die after acting", BLOW, at("record_progress", "answered", "kill")),
    Kind("lose accept's answer", BLOW, at("accept", "answered", "drop")),
    Kind("lose take's answer", BLOW, at("take", "answered", "drop")),
    Kind("lose finish's answer", BLOW, at("finish", "answered", "drop")),
    Kind("lose COMMIT's answer", BLOW, at("commit", "answered", "drop")),
)
