"""A pool of connections that looks after the idle and leaves the busy alone."""

import sys
import time
from typing import Any

import sqlalchemy as sa

from tasks.process_name import process_name

SESSION = (
    # In a zone whose offset once had seconds, old times were rounded to the minute.
    "-c TimeZone=UTC "
    "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
)
IDLE = 1.0
"""Seconds after which a connection is asked whether it lives, before it is lent."""


WAITS = "-c lock_timeout=3s -c idle_in_transaction_session_timeout=5s"
POOL = 20
"""Sessions of one process at most, besides its heart's."""
NEEDS = {"web": POOL + 1, "worker": 8, "relay": 3, "operator": 2}
"""
How many sessions the processes of a role may open, as the Procfile starts them.

Sixteen threads of the web, its outbox, and its heart; three children of the worker with
two each, its main process and its heart; the relay's child, its parent, and its heart.
"""
LIMITS = {
    "web": f"{WAITS} -c statement_timeout=10s",
    "worker": f"{WAITS} -c statement_timeout=20s",
    "relay": f"{WAITS} -c statement_timeout=20s",
}
"""
How long a session of a role may keep others waiting.

A statement has at most the time of the task that sends it. An operator's, such as an
index that a rebuild makes, takes what it takes.
"""


def pool_of(database_url: str, role: str = "operator") -> sa.Engine:
    """
    Return an engine with a small pool of its own, for a process of that *role*.

    Asking each time, as `pool_pre_ping` does, was one round trip of the two that
    accepting a command takes. One that was busy a moment ago is trusted: where the
    server has gone since, the command is not accepted, or its drain is interrupted.
    """
    url = sa.make_url(database_url)
    engine = sa.create_engine(
        url,
        # Kept when a burst is over, and the last one used is used again: to open one
        # takes longer than what is done with it.
        pool_size=POOL,
        max_overflow=0,
        pool_use_lifo=True,
        connect_args=arguments_of(url, role),
    )

    def note_return(_: Any, record: Any) -> None:
        record.info["idle_since"] = time.monotonic()

    def look_at_idle(connection: Any, record: Any, _: Any) -> None:
        idle_since = record.info.get("idle_since")
        if idle_since is None or time.monotonic() - idle_since < IDLE:
            return
        try:
            engine.dialect.do_ping(connection)
        except Exception as error:
            # The others of the pool are as old: all of them are made anew.
            raise sa.exc.InvalidatePoolError from error

    sa.event.listen(engine, "checkin", note_return)
    sa.event.listen(engine, "checkout", look_at_idle)
    return engine


def arguments_of(url: sa.URL, role: str) -> dict[str, Any]:
    """Return what each connection is made with, besides its *url*."""
    return {
        "connect_timeout": 5,
        # A host that lost its power must not keep its streams for two hours.
        "options": " ".join(
            # The later ones win: limits of the URL's own are those that hold.
            [LIMITS.get(role, ""), str(url.query.get("options", "")), SESSION]
        ).strip(),
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "application_name": f"recount {process_name(sys.argv)}",
    }
