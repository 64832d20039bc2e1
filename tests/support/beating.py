"""Something that is committed all the time, as the heartbeats of processes are."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

SECONDS_BETWEEN_BEATS = 0.1


@contextmanager
def beating(url: str) -> Iterator[None]:
    """Write to the database at *url* ten times a second, as long as it is there."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(SECONDS_BETWEEN_BEATS):
            try:
                with psycopg.connect(url, autocommit=True, connect_timeout=2) as link:
                    while not over.wait(SECONDS_BETWEEN_BEATS):
                        link.execute("SELECT pg_current_xact_id()")
            except psycopg.Error:
                continue

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        # A server that is paused keeps it waiting.
        thread.join(0.5)
