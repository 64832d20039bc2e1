"""Reads a second of the real web, and what reads cost those who write."""

import os
import random
from collections import Counter
from collections.abc import Mapping, Sequence

from benchmarks.commanding.filling import fill
from benchmarks.commanding.requests import Steady
from benchmarks.searched_rows import a_customer
from benchmarks.storing import clients
from benchmarks.storing.clients import RENAMED, Asked, Asking, renaming
from benchmarks.storing.report import say, say_rates, say_times
from benchmarks.storing.stand import FilledShop
from domain.customers.commands import RegisterCustomer
from embedded import processes
from tasks import catch_up, commands

READ_ORDERS = 1_000
"""So many orders are read again and again."""
WARM = 4.0
WRITES_A_SECOND = 20.0


def open_the_shop(shop: FilledShop) -> list[int]:
    """Register customers, start what runs commands; return orders to be read."""
    shop.desk.use()
    wanted = [
        RegisterCustomer(customer_id=row.customer_id, name=row.name, email=row.email)
        for row in map(a_customer, range(1, RENAMED + 1))
    ]
    commands.run(shop.desk.shop, fill(shop.desk, wanted))
    # Their details are encrypted: only the shop has the keys.
    catch_up.run(shop.desk.shop)
    shop.desk.worker(1)
    chance = random.Random(3)
    return chance.sample(range(1, shop.count + 1), min(READ_ORDERS, shop.count))


def measure_reads(
    shop: FilledShop, orders: list[int], seconds: float, turns: int
) -> None:
    """Print reads a second at 100 reads to a write: alone, with Redis, a replica."""
    ways: Mapping[str, Mapping[str, str]] = {
        "PostgreSQL alone": {},
        "with Redis": shop.variables("hot"),
        "with a replica": {"REPLICA_DATABASE_URL": shop.replica_url()},
    }
    found: dict[str, list[Asked]] = {name: [] for name in ways}
    for _ in range(turns):
        for name, variables in ways.items():
            # The relay writes the cache, where there is one.
            started = [shop.start("relay", variables), shop.start("web", variables)]
            asking = asking_for(shop, orders, WARM, 100)
            clients.start(asking)()
            asking.seconds = seconds
            found[name].append(clients.start(asking)())
            shop.end(*started)
    for name, some in found.items():
        say_rates(f"f  reads, {name}", [one.rate for one in some], "reads/s")
        say_times(f"f  a read, {name}", [one.reads for one in some], 99)
        say_times(f"f  a write, {name}", [one.writes for one in some], 99)
        say("", summary(some))


def asking_for(
    shop: FilledShop, orders: list[int], seconds: float, reads_a_write: int
) -> Asking:
    return Asking(
        shop.desk.address, shop.desk.authorization, seconds, orders, reads_a_write
    )


def summary(some: Sequence[Asked]) -> str:
    stores = sum((one.stores for one in some), Counter())
    errors = sum((one.errors for one in some), Counter())
    answered = ", ".join(f"{store} {count:,}" for store, count in stores.items())
    return f"answered by {answered}; errors {dict(errors) or 'none'}"


def measure_writes(
    shop: FilledShop, orders: list[int], seconds: float, turns: int
) -> None:
    """
    Print the times of writes without reads, and with as many reads as are answered.

    The reads have a web of their own. With niceness that web, the replica and the
    clients get what the writers leave of the processors, as if they were elsewhere.
    """
    on_replica = {"REPLICA_DATABASE_URL": shop.replica_url()}
    started = [shop.start("relay", {})]
    started.append(shop.start("web", on_replica))
    there, there_web = shop.desk.address, started[-1]
    started.append(shop.start("web", {}))
    here = shop.desk.address
    started.append(shop.start("web", {}))
    writing = shop.desk.address
    taken: dict[str, list[list[float]]] = {}
    kept: dict[str, list[Asked]] = {}
    for turn in range(turns + 1):
        for name, address, nice in (
            ("no reads", "", 0),
            ("reads on the primary", here, 0),
            ("reads on the replica", there, 0),
            ("reads on the replica, nice 19", there, 19),
        ):
            if nice:
                for pid in pids_of(shop, there_web.pid):
                    os.setpriority(os.PRIO_PROCESS, pid, nice)
            steady = Steady(
                writing,
                shop.desk.authorization,
                WRITES_A_SECOND,
                seconds if turn else WARM,
                8,
                lambda: renaming(random.Random()),
            )
            reads = None
            if address:
                length = steady.seconds + 2
                asking = Asking(
                    address, shop.desk.authorization, length, orders, nice=nice
                )
                reads = clients.start(asking)
            answers = steady.start().join()
            asked = reads() if reads else None
            if nice:
                for pid in pids_of(shop, there_web.pid):
                    os.setpriority(os.PRIO_PROCESS, pid, 0)
            # The first turn warms all of it up.
            if turn:
                assert all(one.status == 202 for one in answers)
                taken.setdefault(name, []).append([one.seconds for one in answers])
                if asked:
                    kept.setdefault(name, []).append(asked)
    shop.end(*started)
    for name, times in taken.items():
        say_times(f"g  a write, {name}", times, 99)
        if name in kept:
            say_rates("", [one.rate for one in kept[name]], "reads/s meanwhile")
            say("", summary(kept[name]))


def pids_of(shop: FilledShop, web: int) -> set[int]:
    """Return the processes of a web and of the replica."""
    members = processes.in_session(web) | shop.stand.replica.members()
    return {one.pid for one in members}
