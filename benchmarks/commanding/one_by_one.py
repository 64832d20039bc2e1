"""
One by one: a message a command, each in a stream of its own, beside empty tasks.

The journal and the broker are filled before the clock starts; no reader is running.
Then one hot stream, a message a command too, and messages that name fifty streams each.
"""

import argparse
from collections.abc import Sequence
from functools import partial

from benchmarks.commanding.cpu import Used
from benchmarks.commanding.desk import Desk, desk
from benchmarks.commanding.filling import KINDS, deposit, fill, open_the_shop
from benchmarks.commanding.rates import Rates, Way, in_turns
from benchmarks.commanding.sending import Sender
from benchmarks.commanding.servers import Servers
from benchmarks.peers.table import Ratio

EMPTY = "empty task"
HOT = "Deposit, one hot stream"
MIN_RATIO = 0.8


def run(servers: Servers, options: argparse.Namespace) -> list[Ratio]:
    found = []
    rates = {n: measure(servers, options, n) for n in options.workers}
    for children, some in rates.items():
        print(f"\n{children} worker processes, {options.count:,} a run")
        some.show()
        found += ratios(some, children)
    return found + growth(rates)


def measure(servers: Servers, options: argparse.Namespace, children: int) -> Rates:
    with desk(servers) as own:
        open_the_shop(own)
        own.worker(children)
        sender = Sender(own)
        ways = ways_of(own, sender, options.count)
        for way in ways.values():
            way()  # from here on its statements are prepared
        rates = in_turns(ways, options.rounds, options.count)
        sender.close()
    return rates


def ways_of(own: Desk, sender: Sender, count: int) -> dict[str, Way]:
    def alone(kind: str) -> Used:
        own.use()
        return sender.time_commands(fill(own, [KINDS[kind]() for _ in range(count)]))

    def together(kind: str) -> Used:
        own.use()
        return sender.time_together(fill(own, [KINDS[kind]() for _ in range(count)]))

    def hot() -> Used:
        own.use()
        return sender.time_commands(fill(own, [deposit() for _ in range(count)]))

    return {
        EMPTY: partial(sender.time_empty, count),
        **{kind: partial(alone, kind) for kind in KINDS},
        HOT: hot,
        **{many(kind): partial(together, kind) for kind in KINDS},
    }


def many(kind: str) -> str:
    return f"{kind}, fifty a message"


def ratios(rates: Rates, children: int) -> list[Ratio]:
    found = []
    for kind in (*KINDS, HOT):
        label = f"{children} processes: {kind}, one by one / {EMPTY}"
        found.append(rates.ratio(kind, EMPTY, MIN_RATIO, label))
    for kind in KINDS:
        label = f"{children} processes: {kind}, fifty a message / one by one"
        found.append(rates.ratio(many(kind), kind, label=label))
    return found


def growth(rates: dict[int, Rates]) -> list[Ratio]:
    """Return how much more is done by more processes; they had no turns together."""
    first, *others = rates
    return [
        Ratio(
            f"{kind}: {children} processes / {first}",
            [a / b for a, b in pairs(rates[children], rates[first], kind)],
        )
        for kind in (EMPTY, *KINDS)
        for children in others
    ]


def pairs(ours: Rates, theirs: Rates, kind: str) -> Sequence[tuple[float, float]]:
    return list(zip(ours.by_way[kind], theirs.by_way[kind], strict=True))
