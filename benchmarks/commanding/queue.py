"""
Ten thousand waiting commands and healthy workers: who runs them, worker or relay.

All have waited for as long as it takes to fill the queue when the workers get their
messages and the relay is started. Once over many streams and once mostly on one; then a
thousand messages are lost on the way, and it is measured how much later than the rest
those commands are run.
"""

import argparse
import random
from collections.abc import Callable
from typing import Any
from uuid import UUID

from benchmarks.commanding.desk import Desk, desk
from benchmarks.commanding.filling import deposit, fill, open_account, open_the_shop
from benchmarks.commanding.sending import HELD, Sender
from benchmarks.commanding.servers import Servers
from benchmarks.peers.table import Ratio
from tasks.broker.queues import queue_name

CHILDREN = 2
MIN_SHARE_OF_WORKERS = 0.99
MAX_SECONDS_LATER = 5.0
SHARE_ELSEWHERE = 0.1
"""Of what is mostly on one stream, how many go to streams of their own."""


def run(servers: Servers, options: argparse.Namespace) -> list[Ratio]:
    count = options.waiting
    found = []
    for name, what in (("many streams", open_account), ("mostly one", mostly_one)):
        with desk(servers) as own:
            open_the_shop(own)
            own.worker(CHILDREN)
            sender = Sender(own)
            by_workers = share(own, run_all(own, sender, what, count))
            label = f"{count:,} waiting, {name}: share run by workers"
            found.append(Ratio(label, [by_workers], MIN_SHARE_OF_WORKERS))
            ids = run_all(own, sender, what, count, lost=count // 10)
            later = seconds_later(own, ids[: count // 10], ids[count // 10 :])
            sender.close()
        label = (
            f"{count // 10:,} of {count:,} messages lost: seconds later than the rest"
        )
        found.append(Ratio(label, [later], most=MAX_SECONDS_LATER))
        print(f"  {name}: {by_workers:.2%} by workers; the lost {later:+.2f} s later")
    return found


def mostly_one() -> Any:
    return open_account() if random.random() < SHARE_ELSEWHERE else deposit()


def run_all(
    own: Desk, sender: Sender, what: Callable[[], Any], count: int, lost: int = 0
) -> list[UUID]:
    """
    Run so many, and return their ids; the messages of *lost* of them are not there.

    The lost come first in the list, and from anywhere in the queue.
    """
    own.use()
    ids = fill(own, [what() for _ in range(count)])
    without = set(random.sample(ids, lost))
    for command_id in ids:
        if command_id not in without:
            sender.send("execute", [[str(command_id)]], str(command_id), HELD)
    own.broker.rename(HELD, queue_name("commands", own.shop.identity))
    # Not before: while messages are held back it would rightly take them for lost.
    own.start("relay")
    own.wait_until_final()
    own.end("relay")
    return [*without, *(one for one in ids if one not in without)]


def share(own: Desk, ids: list[UUID]) -> float:
    """Return how many of *ids* workers have run, of all."""
    with own.connect() as connection:
        row = connection.execute(
            "SELECT count(*) FILTER (WHERE ran_by LIKE 'worker:%%')"
            " FROM public.commands WHERE id = ANY (%s)",
            (ids,),
        ).fetchone()
    assert row is not None
    return float(row[0]) / len(ids)


def seconds_later(own: Desk, some: list[UUID], others: list[UUID]) -> float:
    """Return how much later the last of *some* was finished than that of *others*."""
    with own.connect() as connection:
        row = connection.execute(
            "SELECT extract(epoch FROM max(finished_at) FILTER (WHERE id = ANY (%s))"
            " - max(finished_at) FILTER (WHERE id = ANY (%s)))::float"
            " FROM public.commands",
            (some, others),
        ).fetchone()
    assert row is not None
    return float(row[0])
