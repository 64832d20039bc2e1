"""
The order desk with deciders that tests can hold, slow down, or make kill their process.

`celery -A tests.support.faulty_shop worker` and `python -m tests.support.faulty_shop`
(the relay) run it. What a command does to its process is told by the reason of a
cancellation, or by the amount of a deposit.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import psycopg
import sqlalchemy as sa

from eventstore.aggregates.decider import Decider
from tasks import relay
from tasks.app import TIME_LIMIT, app
from tasks.shop import wiring
from tasks.shop.settings import load_settings
from tasks.shop.wiring import Shop

__all__ = ["app"]

HOLD = "hold"
KILL = "kill"
RAISE = "raise"
RECURSE = "recurse"
EAT = "eat all memory"
HANG = "hang"
AMOUNTS = {
    900_000_001: KILL,
    900_000_002: RAISE,
    900_000_003: RECURSE,
    900_000_004: EAT,
    900_000_005: HANG,
    900_000_006: HOLD,
}
"""Deposits have no reason."""
HOLDING_LOCK = 815
"""The advisory lock that a decider waits for when it is told to hold."""


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail() -> None:
    raise ZeroDivisionError("a bug of the shop")


def recurse() -> None:
    recurse()


def eat() -> None:
    eaten = []
    while True:
        # Counted by the limit, not written to: a gigabyte takes a busy machine longer
        # than the time limit of a test.
        eaten.append(bytes(50_000_000))


def hang() -> None:
    while True:
        time.sleep(60)


def wait_for_lock() -> None:
    """Wait for a lock in PostgreSQL, on a connection of its own."""
    url = sa.make_url(load_settings().database_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(False), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (HOLDING_LOCK,))


SPELLS: Mapping[str, Callable[[], None]] = {
    HOLD: wait_for_lock,
    KILL: kill,
    RAISE: fail,
    RECURSE: recurse,
    EAT: eat,
    HANG: hang,
}


def faulty(decider: Decider) -> Decider:
    """Return a decider that decides as the shop's, after what the command asks for."""

    def decide(state: Any, command: Any, **others: Any) -> Any:
        by_amount = AMOUNTS.get(getattr(command, "amount", 0), "")
        spell = SPELLS.get(getattr(command, "reason", by_amount))
        if spell is not None:
            spell()
        time.sleep(float(os.environ.get("SECONDS_TO_DECIDE", "0")))
        return decider.decide(state, command, **others)

    return replace(decider, decide=decide)


def faulty_shop() -> Shop:
    shop = Shop(load_settings())
    return replace(shop, slices=[faulty(decider) for decider in shop.slices])


def main() -> None:
    """Run the relay on it; its time limit may be a test's."""
    wiring.use(faulty_shop())
    relay.__dict__["TIME_LIMIT"] = int(os.environ.get("TIME_LIMIT", TIME_LIMIT))
    relay.main()


if __name__ == "__main__":
    main()
elif "celery" in sys.argv[0]:
    # Loaded by `celery -A`: nobody else calls anything here.
    wiring.use(faulty_shop())
