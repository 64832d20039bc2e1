"""
The order desk with a decider that tests can hold, slow down, or make kill its process.

`celery -A tests.support.faulty_shop worker` and `python -m tests.support.faulty_shop`
(the relay) run it. What a command does is told by the reason of a cancellation.
"""

import os
import signal
import sys
import time
from dataclasses import replace
from typing import Any

import psycopg
import sqlalchemy as sa

from domain.orders.commands import CancelOrder
from tasks import bootstrap, relay
from tasks.app import app
from tasks.bootstrap import CUSTOMERS, ORDERS, Shop
from tasks.settings import load_settings

__all__ = ["app"]

HOLD = "hold"
KILL = "kill"
EAT = "eat"
RECURSE = "recurse"
HOLDING_LOCK = 815
"""The advisory lock that a decider waits for when it is told to hold."""


def decide(order: Any, command: Any, **others: Any) -> Any:
    """Decide as the shop does, after what the command's reason asks for."""
    if isinstance(command, CancelOrder) and command.reason == KILL:
        os.kill(os.getpid(), signal.SIGKILL)
    if isinstance(command, CancelOrder) and command.reason == HOLD:
        wait_for_lock()
    if isinstance(command, CancelOrder) and command.reason == EAT:
        # More than any of our processes may have, and never touched.
        held = [bytearray(64_000_000) for _ in range(50)]
        raise AssertionError(f"nobody said no to {len(held)} pieces")
    if isinstance(command, CancelOrder) and command.reason == RECURSE:
        decide(order, command, **others)
    time.sleep(float(os.environ.get("SECONDS_TO_DECIDE", "0")))
    return ORDERS.decide(order, command, **others)


def wait_for_lock() -> None:
    """Wait for a lock in PostgreSQL, on a connection of its own."""
    url = sa.make_url(load_settings().database_url).set(drivername="postgresql")
    with psycopg.connect(url.render_as_string(False), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (HOLDING_LOCK,))


def faulty_shop() -> Shop:
    orders = replace(ORDERS, decide=decide)
    return Shop(load_settings(), slices=[CUSTOMERS, orders])


def main() -> None:
    """Run the relay on it."""
    bootstrap.use(faulty_shop())
    relay.main()


if __name__ == "__main__":
    main()
elif "celery" in sys.argv[0]:
    # Loaded by `celery -A`: nobody else calls anything here.
    bootstrap.use(faulty_shop())
