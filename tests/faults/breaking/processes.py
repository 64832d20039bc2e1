"""Processes of the shop are killed, ended, frozen, left out, or there twice."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from random import Random

from embedded.logins import login_of
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
STILL: Seconds = (4.0, 12.0)
"""Longer than a lease: what they held is somebody else's when they go on."""
SLEEP: Seconds = (2.0, 6.0)
PATIENCE = 3.0
"""Seconds to wait for somebody who takes a stream."""


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


Processes = Callable[[Desk, Random], Sequence[Process]]


def a_child(kind: str) -> Processes:
    """Choose one process that those of a kind have started; the others go on."""

    def choose(desk: Desk, chance: Random) -> Sequence[Process]:
        children = children_of(kind, desk)
        return [chance.choice(children)] if children else []

    return choose


def all_children(kind: str) -> Processes:
    """Choose all that those of a kind have started, and none of themselves."""
    return lambda desk, _: children_of(kind, desk)


def a_main(kind: str) -> Processes:
    """Choose one that has started others, which go on."""

    def choose(desk: Desk, chance: Random) -> Sequence[Process]:
        mains = [desk.keeper.leader(name) for name in desk.keeper.named(kind)]
        running = [main for main in mains if main is not None]
        return [chance.choice(running)] if running else []

    return choose


def stopping(choose: Processes, word: str) -> Strike:
    """Stop the chosen where they are; whoever looks after them goes on."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        victims = choose(desk, chance)
        for victim in victims:
            victim.send(signal.SIGSTOP)
        pids = ", ".join(str(victim.pid) for victim in victims)
        try:
            yield f"STOP {word} {pids}" if pids else f"{MISSED}: no {word} runs now"
        finally:
            for victim in victims:
                victim.send(signal.SIGCONT)

    return strike


@contextmanager
def stop_holder(desk: Desk, chance: Random) -> Iterator[str]:
    """Stop a process of a worker as it takes streams: it holds them, and sleeps."""
    user = login_of("worker")
    with desk.proxy.armed("take", "before", "stop", user=user) as number:
        struck = desk.proxy.wait_for(number, seconds=PATIENCE)
    try:
        yield f"STOP {struck[0]} as it takes" if struck else f"{MISSED}: nobody took"
    finally:
        for pid in struck:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextmanager
def cut_holder(desk: Desk, chance: Random) -> Iterator[str]:
    """Have the connection of one who holds streams carry nothing any more."""
    user = login_of("worker")
    with desk.proxy.armed("finish", "before", "cut", user=user) as number:
        struck = desk.proxy.wait_for(number, seconds=PATIENCE)
        yield f"cut off {struck[0]}" if struck else f"{MISSED}: nobody finished"


@contextmanager
def sleep(desk: Desk, chance: Random) -> Iterator[str]:
    """
    Stop all there is, the servers too, as on a machine whose lid is closed.

    For a while, and here: nothing else strikes a machine that sleeps, and who asked a
    server of it meanwhile would wait for ever.
    """
    pids = [running.pid for running in desk.processes()]
    send_all(pids, signal.SIGSTOP)
    try:
        time.sleep(chance.uniform(*SLEEP))
    finally:
        chance.shuffle(pids)
        send_all(pids, signal.SIGCONT)
    yield f"STOP all {len(pids)}"


def send_all(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


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
    Kind("freeze a pool child", SHORT, stopping(a_child("worker"), "a child")),
    Kind("a child stands still", STILL, stopping(a_child("worker"), "a child")),
    Kind(
        "all children stand still", STILL, stopping(all_children("worker"), "children")
    ),
    Kind("a main process stands still", STILL, stopping(a_main("worker"), "a main")),
    Kind("a relay's child stands still", STILL, stopping(a_child("relay"), "a child")),
    Kind("a holder stands still", STILL, stop_holder),
    Kind("a holder is cut off", STILL, cut_holder),
    Kind("the machine sleeps", BLOW, sleep),
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
