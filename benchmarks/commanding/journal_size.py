"""
The rate of single commands on a journal with ten thousand to a million finished ones.

Each size has a database and a worker of its own, and all take turns.
"""

import argparse
from contextlib import ExitStack
from functools import partial

from benchmarks.commanding.cpu import Used
from benchmarks.commanding.desk import Desk, desk
from benchmarks.commanding.filling import (
    fill,
    fill_finished,
    open_account,
    open_the_shop,
)
from benchmarks.commanding.rates import Way, in_turns
from benchmarks.commanding.sending import Sender
from benchmarks.commanding.servers import Servers
from benchmarks.peers.table import Ratio

MIN_RATIO = 0.9


def run(servers: Servers, options: argparse.Namespace) -> list[Ratio]:
    ways: dict[str, Way] = {}
    with ExitStack() as stack:
        for size in options.sizes:
            own = stack.enter_context(desk(servers))
            with own.connect() as connection:
                fill_finished(connection, size)
            open_the_shop(own)
            own.worker(1)
            sender = Sender(own)
            stack.callback(sender.close)
            ways[label(size)] = partial(accounts, own, sender, options.count)
        for way in ways.values():
            way()
        rates = in_turns(ways, options.rounds, options.count)
    rates.show()
    first, *larger = options.sizes
    return [rates.ratio(label(size), label(first), MIN_RATIO) for size in larger]


def label(size: int) -> str:
    return f"{size:,} finished"


def accounts(own: Desk, sender: Sender, count: int) -> Used:
    own.use()
    return sender.time_commands(fill(own, [open_account() for _ in range(count)]))
