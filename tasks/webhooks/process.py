"""
The process of the sender: a child of the relay, while there are webhooks.

The relay's other child, which runs commands, sees whether there are any. So a shop
without webhooks has no such process, and a receiver that hangs, or an answer that
takes all memory, is in nobody's way.
"""

import os
import signal
import threading
from collections.abc import Callable
from contextlib import closing
from ctypes import c_double

import psycopg
import sqlalchemy as sa

from tasks.app import limit_memory
from tasks.child_process import SECONDS_BETWEEN_TRIES, StopRequest
from tasks.shop.connections import connect
from tasks.shop.logging import logger_of
from tasks.shop.wiring import Shop
from tasks.webhooks.progress import has_active
from tasks.webhooks.sender import Sender
from tasks.webhooks.turn import take_turn

STACK_BYTES = 512 * 1024
"""Of each thread: there may be some hundred, and the process's memory is limited."""

log = logger_of(__name__)


def send(wiring: Callable[[], Shop], moved_at: c_double, parent: int) -> None:
    """Send until there is nothing to send to; what the process does."""
    stop = StopRequest(parent, moved_at)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    limit_memory()
    threading.stack_size(STACK_BYTES)
    shop = wiring()
    has_ended = False
    while not stop.is_set() and not has_ended:
        try:
            has_ended = send_in_turn(shop, stop)
        except (psycopg.Error, sa.exc.DBAPIError) as error:
            # What was under way is sent again: nobody can tell how it ended.
            log.warning("sending broke off", error=type(error).__name__)
        stop.wait(SECONDS_BETWEEN_TRIES)
    # Not by way of the threads: one that waits for an answer would be waited for.
    os._exit(0)


def send_in_turn(shop: Shop, stop: threading.Event) -> bool:
    """
    Send if nobody else does; return whether there is nothing to send to.

    Raises the driver's errors.
    """
    settings = shop.settings
    name = {"application_name": "recount webhooks"}
    with closing(connect(settings.database_url, settings.role, **name)) as session:
        if not take_turn(session):
            return not has_active(session)
        sender = Sender(shop, session)
        try:
            sender.run(stop)
        except (psycopg.Error, sa.exc.DBAPIError):
            # The same event must not be under way twice at a time.
            for channel in sender.channels.values():
                channel.threads.shutdown(wait=True, cancel_futures=True)
            raise
        return True
