"""
Acceptance alone: how long a 202 takes with Redis well, frozen and gone.

No worker runs. Commands come a hundred a second on sixteen connections, each at its
time whether or not those before are answered, and their time counts from then.
"""

import argparse

from benchmarks.commanding.desk import Desk, desk
from benchmarks.commanding.filling import open_the_shop
from benchmarks.commanding.requests import Answer, Steady
from benchmarks.commanding.servers import Servers
from benchmarks.loading.figures import in_milliseconds, percentile
from benchmarks.peers.table import Ratio

MAX_MILLISECONDS = 50.0
WELL, FROZEN, GONE = "well", "frozen", "gone"


def run(servers: Servers, options: argparse.Namespace) -> list[Ratio]:
    taken: dict[str, list[list[float]]] = {WELL: [], FROZEN: [], GONE: []}
    with desk(servers) as own:
        open_the_shop(own)
        own.web()
        send(own, options, 1.0)
        for _ in range(options.rounds):
            for state in taken:
                with servers.redis_is(state):
                    taken[state].append(send(own, options, options.seconds))
    found = []
    for state, rounds in taken.items():
        everything = [seconds for one in rounds for seconds in one]
        print(f"  Redis {state:8} due to accepted  {in_milliseconds(everything)}")
        for percent, most in ((50, None), (99, MAX_MILLISECONDS)):
            values = [1000 * percentile(one, percent) for one in rounds]
            label = f"Redis {state}: accepted, p{percent} in ms"
            found.append(Ratio(label, values, most=most))
    return found


def send(own: Desk, options: argparse.Namespace, seconds: float) -> list[float]:
    answers = (
        Steady(own.address, own.authorization, options.rate, seconds).start().join()
    )
    return [answer.seconds for answer in accepted(answers)]


def accepted(answers: list[Answer]) -> list[Answer]:
    """Return the answers. Raises RuntimeError where one is no 202."""
    refused = {answer.status for answer in answers} - {202}
    if refused:
        raise RuntimeError(f"answered with {refused}")
    return answers
