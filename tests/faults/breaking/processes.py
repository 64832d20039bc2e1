"""Processes of the shop are killed, ended, frozen, left out, or there twice."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from random import Random

from embedded.processes import Process
from tests.faults.desk import Desk
from tests.faults.kind import BLOW, MISSED, Kind, Seconds, Strike
from tests.faults.programs import OF_SHOP, SECOND_BEAT

SHORT: Seconds = (0.5, 4.0)


def some(kind: str, desk: Desk, chance: Random) -> list[str]:
    """Return one of those that there are of a kind, by chance."""
    return [chance.choice(desk.keeper.named(kind))]


def all_of(kind: str, desk: Desk, chance: Random) -> list[str]:
    return list(desk.keeper.named(kind))


Choice = Callable[[Desk, Random], Sequence[str]]


def killing(choose: Choice) -> Strike:
    """Kill the chosen with all that they have started."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        names = choose(desk, chance)
        for name in names:
            desk.keeper.kill(name)
        yield f"-9 {', '.join(names)}"

    return strike


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
    names = desk.keeper.named(kind)
    return [child for name in names for child in desk.keeper.all_of(name)[1:]]


def ending(choose: Choice) -> Strike:
    """Ask the chosen to end, as a restart does; they end in order, and come again."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        names = choose(desk, chance)
        for name in names:
            desk.keeper.end(name)
        yield f"TERM {', '.join(names)}"

    return strike


def freezing(choose: Choice) -> Strike:
    """Stop the chosen where they are, with what they hold."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        names = choose(desk, chance)
        for name in names:
            desk.keeper.send_all(name, signal.SIGSTOP)
        try:
            yield f"STOP {', '.join(names)}"
        finally:
            for name in names:
                desk.keeper.send_all(name, signal.SIGCONT)

    return strike


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


def absent(choose: Choice) -> Strike:
    """Kill the chosen, and do not start them again for a while."""

    @contextmanager
    def strike(desk: Desk, chance: Random) -> Iterator[str]:
        names = choose(desk, chance)
        for name in names:
            desk.keeper.hold(name)
            desk.keeper.kill(name)
        try:
            yield f"without {', '.join(names)}"
        finally:
            for name in names:
                desk.keeper.let_go(name)

    return strike


@contextmanager
def two_beats(desk: Desk, chance: Random) -> Iterator[str]:
    desk.keeper.start([desk.programs.of_shop(SECOND_BEAT)])
    try:
        yield "another beat"
    finally:
        desk.keeper.remove(SECOND_BEAT)


one, every = partial(partial, some), partial(partial, all_of)

KINDS = (
    Kind("kill a pool child", BLOW, killing_child("worker")),
    Kind("kill a relay's child", BLOW, killing_child("relay")),
    Kind("kill the web's child", BLOW, killing_child("web")),
    Kind("freeze a pool child", SHORT, freeze_child),
    Kind("freeze a worker", SHORT, freezing(one("worker"))),
    Kind("freeze a relay", SHORT, freezing(one("relay"))),
    Kind("freeze all relays", SHORT, freezing(every("relay"))),
    Kind("restart a worker", BLOW, ending(one("worker"))),
    Kind("restart all workers", BLOW, ending(every("worker"))),
    Kind("restart a relay", BLOW, ending(one("relay"))),
    Kind("restart the web", BLOW, ending(one("web"))),
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
