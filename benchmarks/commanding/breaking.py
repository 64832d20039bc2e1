"""
What breaks while commands come in: when they take effect all the same.

Redis gone for good; a worker killed with -9, and started again as the supervisor does
it; the PostgreSQL server crashed, and how soon after its return commands are accepted
and take effect.
"""

import argparse
import time
from collections.abc import Callable

from benchmarks.commanding.acceptance import GONE
from benchmarks.commanding.desk import Desk, desk
from benchmarks.commanding.filling import open_the_shop
from benchmarks.commanding.latency import seconds_to_finish
from benchmarks.commanding.requests import Answer, Steady
from benchmarks.commanding.servers import Servers
from benchmarks.loading.figures import in_milliseconds, percentile
from benchmarks.peers.table import Ratio

CHILDREN = 2
MAX_SECONDS_GONE, MAX_SECONDS_KILLED, MAX_SECONDS_CRASHED = 2.0, 5.0, 5.0


def run(servers: Servers, options: argparse.Namespace) -> list[Ratio]:
    with desk(servers, projections=True) as own:
        open_the_shop(own)
        own.start_all(CHILDREN)
        steady(own, options)
        killed = effects(own, steady(own, options, lambda: kill_worker(own, options)))
        crashed = crash(own, options)
        with servers.redis_is(GONE):
            gone = effects(own, steady(own, options))
    print(f"  a worker killed, accepted to finished     {in_milliseconds(killed)}")
    print(f"  Redis gone for good, accepted to finished {in_milliseconds(gone)}")
    print(f"  PostgreSQL crashed: served {crashed:.2f} s after it was started again")
    return [
        Ratio(
            "kill -9 of a worker: effect, p99 in s",
            [p99(killed)],
            most=MAX_SECONDS_KILLED,
        ),
        Ratio("PostgreSQL crashed: serving, in s", [crashed], most=MAX_SECONDS_CRASHED),
        Ratio(
            "Redis gone for good: effect, p99 in s", [p99(gone)], most=MAX_SECONDS_GONE
        ),
    ]


def p99(seconds: list[float]) -> float:
    return percentile(seconds, 99)


def steady(
    own: Desk,
    options: argparse.Namespace,
    meanwhile: Callable[[], None] = lambda: None,
) -> list[Answer]:
    """Send commands at a steady rate and do *meanwhile*; return when all are final."""
    sending = Steady(
        own.address, own.authorization, options.rate, 2 * options.seconds
    ).start()
    meanwhile()
    answers = sending.join()
    own.wait_until_final()
    return answers


def effects(own: Desk, answers: list[Answer]) -> list[float]:
    promised = [answer.command_id for answer in answers if answer.status == 202]
    return seconds_to_finish(own, promised)


def kill_worker(own: Desk, options: argparse.Namespace) -> None:
    """Kill the worker with all its processes at work, twice, and start another."""
    for _ in range(2):
        time.sleep(options.seconds / 2)
        own.end("worker")
        own.worker(CHILDREN)


def crash(own: Desk, options: argparse.Namespace) -> float:
    """
    Crash the PostgreSQL server under load, and start it again a second later.

    Returns the seconds from when it answers again until a command was accepted and had
    taken effect.
    """

    def crash_and_return() -> None:
        time.sleep(options.seconds / 2)
        own.servers.cluster.crash()
        time.sleep(1)
        own.servers.cluster.start()

    sending = Steady(
        own.address, own.authorization, options.rate, options.seconds
    ).start()
    crash_and_return()
    back = time.monotonic()
    accepted: list[Answer] = []
    while not accepted:
        probe = Steady(own.address, own.authorization, 10, 0.1, connections=1).start()
        accepted = [one for one in probe.join() if one.status == 202]
    sending.join()
    own.wait_until_final()
    return accepted[0].at - back + effects(own, accepted)[0]
