"""
The process that fills copies of the past: a child of the relay, while any is wanted.

It lets all others go first, by its nice value, and has a session of its own without
time limits. It ends when nothing was wanted for a while.
"""

import os
import signal
import time
from collections.abc import Callable
from contextlib import closing
from ctypes import c_double
from typing import Any

import psycopg
import sqlalchemy as sa

from eventstore.errors import EventStoreError
from eventstore.errors.refusals import ends_the_session
from eventstore.past.dropping import drop_all_marked
from eventstore.past.filler import Bounds, Filler
from eventstore.past.wishes import has_work
from tasks.app import limit_memory
from tasks.child_process import SECONDS_BETWEEN_TRIES, StopRequest
from tasks.shop.connections import connect
from tasks.shop.logging import logger_of
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop

NICE = 10
SECONDS_IDLE = 10.0
"""Seconds that it waits for another wish before it ends."""
SECONDS_BETWEEN_LOOKS = 0.1
MAX_SECONDS_OF_STATEMENT = 1_800.0
"""So long a single statement may take: a copy of all rows, or an index of them."""

log = logger_of(__name__)


class FillingStopped(BaseException):
    """The relay ends, and a copy is half filled: it is wanted again."""


def fill_copies(wiring: Callable[[], Shop], moved_at: c_double, parent: int) -> None:
    """Fill copies until nothing is wanted; what the process does."""
    stop = StopRequest(parent, moved_at)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    stop.give_signs_of_life(MAX_SECONDS_OF_STATEMENT)
    limit_memory()
    os.nice(NICE)
    shop = wiring()
    has_ended = False
    while not stop.is_set() and not has_ended:
        try:
            has_ended = fill_in_turn(shop, stop)
        except FillingStopped:
            break
        except (psycopg.Error, sa.exc.DBAPIError, EventStoreError) as error:
            log.warning("filling copies broke off", error=type(error).__name__)
        stop.wait(0 if has_ended else SECONDS_BETWEEN_TRIES)
    os._exit(0)


def fill_in_turn(
    shop: Shop, stop: StopRequest, *, seconds_idle: float = SECONDS_IDLE
) -> bool:
    """
    Fill what is wanted; return whether nothing is left for *seconds_idle* seconds.

    If another session fills, that one is left alone. Raises psycopg's errors.
    """
    with closing(connect_filler(shop.settings)) as session:
        filler = filler_of(shop, session)
        if not filler.take_turn():
            return not has_work(session, shop.projections)
        until = time.monotonic() + seconds_idle
        while time.monotonic() < until:
            if stop.is_set():
                return True
            if has_work(session, shop.projections):
                has_filled = fill_next(filler, stop)
                until = time.monotonic() + seconds_idle
                if has_filled:
                    continue
                # Nothing is to be filled: tables are, or were, in use.
                drop_all_marked(session)
            stop.wait(SECONDS_BETWEEN_LOOKS)
        return True


def fill_next(filler: Filler, stop: StopRequest) -> bool:
    """
    Fill one copy, and return whether one was filled, or has failed.

    An error of its own is noted with it, and the next one comes.
    """

    def show(*_: object) -> None:
        if stop.is_set():
            raise FillingStopped

    started = time.monotonic()
    try:
        copy = filler.fill_next(show)
    except Exception as error:
        if ends_the_session(filler.connection, error):
            raise
        # A bug, or a full disk: who waits for it finds out by its note.
        log.error("copy failed", error=type(error).__name__, exc_info=error)
        return True
    if copy is not None:
        log.info(
            "copy filled",
            copy=copy.name,
            rows=copy.rows,
            bytes=copy.bytes,
            seconds=round(time.monotonic() - started, 3),
        )
    return copy is not None


def connect_filler(settings: Settings) -> psycopg.Connection[Any]:
    """Open the session of a filler, which has no time limits."""
    return connect(settings.database_url, application_name="recount past")


def filler_of(shop: Shop, connection: psycopg.Connection[Any]) -> Filler:
    settings = shop.settings
    bounds = Bounds(settings.past_copies, settings.past_bytes)
    return Filler(connection, shop.projections, shop.deciders.masters, bounds)
