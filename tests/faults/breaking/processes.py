"""Processes of the shop are killed, ended, frozen, left out, or there twice."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from embedded.processes import Process
from tests.faults.breaking.victims import (
    absent,
    blow,
    every,
    freezing,
    killing,
    one,
    wait_a_little,
)
from tests.faults.desk import Desk
from tests.faults.keeper import Keeper
from tests.faults.kind import BLOW, MISSED, Kind, Seconds, Strike
from tests.faults.programs import OF_SHOP, SECOND_BEAT

SHORT: Seconds = (0.5, 4.0)


def killing_child(kind: str) -> Strike:
    """Kill one process that those of a kind have started, and not themselves."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        children = children_of(kind, desk)
        if not children:
            yield f"{MISSED}: no {kind} has a child now"
            return
        victim = chance.choice(children)
        victim.send(signal.SIGKILL)
        yield f"-9 child {victim.pid} of a {kind}"

    return strike


def children_of(kind: str, desk: Desk) -> list[Process]:
    """Return the processes that those of a kind have started, if any comes soon."""
    children: list[Process] = []

    def are_there() -> bool:
        names = desk.keeper.named(kind)
        children[:] = [c for name in names for c in desk.keeper.all_of(name)[1:]]
        return bool(children)

    wait_a_little(are_there)
    return children


@contextmanager
def freeze_child(desk: Desk, chance: Random) -> Iterator[str]:
    """Stop one child of a worker, which may hold a stream; the others go on."""
    children = children_of("worker", desk)
    if not children:
        yield f"{MISSED}: no worker has a child now"
        return
    victim = chance.choice(children)
    victim.send(signal.SIGSTOP)
    try:
        yield f"STOP child {victim.pid} of a worker"
    finally:
        victim.send(signal.SIGCONT)


@contextmanager
def two_beats(desk: Desk, chance: Random) -> Iterator[str]:
    desk.keeper.start([desk.programs.of_shop(SECOND_BEAT)])
    try:
        yield "another beat"
    finally:
        desk.keeper.remove(SECOND_BEAT)


KINDS = (
    Kind("kill a pool child", BLOW, killing_child("worker")),
    Kind("kill a relay's child", BLOW, killing_child("relay")),
    Kind("kill the web's child", BLOW, killing_child("web")),
    Kind("freeze a pool child", SHORT, freeze_child),
    Kind("freeze a worker", SHORT, freezing(one("worker"))),
    Kind("freeze a relay", SHORT, freezing(one("relay"))),
    Kind("freeze all relays", SHORT, freezing(every("relay"))),
    Kind("restart a worker", BLOW, blow(Keeper.end, one("worker"), "TERM")),
    Kind("restart all workers", BLOW, blow(Keeper.end, every("worker"), "TERM")),
    Kind("restart a relay", BLOW, blow(Keeper.end, one("relay"), "TERM")),
    Kind("restart the web", BLOW, blow(Keeper.end, one("web"), "TERM")),
    Kind("no workers", SHORT, absent(every("worker"))),
    Kind("no relays", SHORT, absent(every("relay"))),
    Kind("no beat", SHORT, absent(one("beat"))),
    Kind("two beats", SHORT, two_beats),
    Kind("kill a worker", BLOW, killing(one("worker"))),
    Kind("kill all workers", BLOW, killing(every("worker"))),
    Kind("kill a relay", BLOW, killing(one("relay"))),
    Kind("kill all relays", BLOW, killing(every("relay"))),
    Kind("kill the web", BLOW, killing(one("web"))),
    Kind("kill all of the shop", BLOW, killing(lambda *_: OF_SHOP)),
)
