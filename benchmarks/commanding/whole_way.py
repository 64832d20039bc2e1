"""
The whole way: acceptance by HTTP and projections on, beside empty tasks.

All processes of the Procfile run, for the one as for the other. Commands are sent by
HTTP and accepted, published, run and projected; empty tasks are sent to the broker by
this process, from one thread, with the shop's settings. Both count from the first that
is sent until the last one has been run, so the sender shares the processors.
"""

import argparse
import json
import time
from functools import partial

from benchmarks.commanding import cpu
from benchmarks.commanding.cpu import Used
from benchmarks.commanding.desk import Desk, desk
from benchmarks.commanding.filling import open_the_shop
from benchmarks.commanding.rates import Way, in_turns
from benchmarks.commanding.requests import KINDS, request, send_all
from benchmarks.commanding.sending import Sender
from benchmarks.commanding.servers import Servers
from benchmarks.peers.table import Ratio

CONNECTIONS = 8
MIN_RATIO, MIN_RATIO_OF_BATCH = 0.4, 8.0
CHILDREN = 3
"""As the Procfile has it."""
EMPTY = "empty task"


def run(servers: Servers, options: argparse.Namespace) -> list[Ratio]:
    with desk(servers, projections=True) as own:
        open_the_shop(own)
        own.start_all(CHILDREN)
        sender = Sender(own)
        ways = ways_of(own, sender, options.count)
        for way in ways.values():
            way()
        rates = in_turns(ways, options.rounds, options.count)
        sender.close()
    rates.show()
    found = [
        rates.ratio(kind, EMPTY, MIN_RATIO, f"{kind}, the whole way / {EMPTY}")
        for kind in KINDS
    ]
    for kind in KINDS:
        found.append(rates.ratio(f"{kind}, batch", one(kind), MIN_RATIO_OF_BATCH))
        found.append(rates.ratio(f"{kind}, batch", kind))
    return found


def one(kind: str) -> str:
    return f"{kind}, 1 client"


def ways_of(own: Desk, sender: Sender, count: int) -> dict[str, Way]:
    ways: dict[str, Way] = {EMPTY: partial(empty, own, sender, count)}
    for kind in KINDS:
        ways[kind] = partial(singles, own, kind, count, CONNECTIONS)
        ways[one(kind)] = partial(singles, own, kind, count, 1)
        ways[f"{kind}, batch"] = partial(batch, own, kind, count)
    return ways


def empty(own: Desk, sender: Sender, count: int) -> Used:
    own.settle()
    with cpu.watched(own) as used:
        started = time.monotonic()
        sender.send_empty(count, sender.queue)
        ended = sender.ended(sender.mark_end(sender.queue))
    used.seconds = ended - started
    return used


def singles(own: Desk, kind: str, count: int, connections: int) -> Used:
    host = own.address.removeprefix("http://")
    bodies = [json.dumps(KINDS[kind]()).encode() for _ in range(count)]
    requests = [request(host, "/api/commands", b, own.authorization) for b in bodies]
    return timed(own, requests, connections)


def batch(own: Desk, kind: str, count: int) -> Used:
    host = own.address.removeprefix("http://")
    body = "\n".join(json.dumps(KINDS[kind]()) for _ in range(count)).encode()
    kind = "application/x-ndjson"
    lines = request(host, "/api/commands/batch", body, own.authorization, kind)
    return timed(own, [lines], 1)


def timed(own: Desk, requests: list[bytes], connections: int) -> Used:
    own.settle()
    with cpu.watched(own) as used:
        send_all(own.address, requests, connections)
        own.wait_until_final()
    return used
