"""
One connection: read until a request is whole, and written to as fast as it takes.

No thread hears of a request before all of it is there, and none waits until an answer
is taken. So clients that are slow keep nobody from working; and they do not stay.
"""

import time
from typing import Any

from waitress.channel import HTTPChannel
from waitress.task import WSGITask

from webapp.serving.reading import RequestParser, RequestTimeout

SECONDS_TO_TAKE = 30.0
"""How long nothing of an answer may be taken."""
SECONDS_IDLE = 75.0
"""How long a connection may lie idle: longer than the 60 s of the usual proxies."""


class RequestTask(WSGITask):
    """A request that a thread answers by the application."""

    def build_response_header(self) -> bytes:
        if self.channel.server.is_ending:
            self.set_close_on_finish()
        return bytes(super().build_response_header())


class Connection(HTTPChannel):
    """A connection, with what it has sent and what it has still to take."""

    parser_class = RequestParser
    task_class = RequestTask
    request: RequestParser | None

    def __init__(self, *arguments: Any, **more: Any) -> None:
        # The clock of its library can be set back.
        self.active_at = time.monotonic()
        super().__init__(*arguments, **more)

    def add_channel(self, map: Any = None) -> None:
        super().add_channel(map)
        self.server.loop.moving.add(self._fileno)

    def received(self, data: bytes) -> bool:
        self.active_at = time.monotonic()
        return bool(super().received(data))

    def _flush_some(self, do_close: bool = True) -> bool:
        has_moved = bool(super()._flush_some(do_close=do_close))
        if has_moved:
            self.active_at = time.monotonic()
        return has_moved

    def service(self) -> None:
        """Answer one request, in a thread."""
        super().service()
        self.active_at = time.monotonic()

    @property
    def is_at_rest(self) -> bool:
        """Whether there is neither a request nor an answer under way."""
        return not (self.requests or self.request or self.total_outbufs_len)

    def tend(self, now: float, longest_idle: float = SECONDS_IDLE) -> None:
        """End what has lasted too long. For the thread of the loop alone."""
        quiet = now - self.active_at
        if self.total_outbufs_len:
            # To be told to close it would have to be written to.
            if quiet > SECONDS_TO_TAKE:
                self.handle_close()
        elif self.is_at_rest:
            if quiet > longest_idle:
                self.handle_close()
        elif self.request and not self.requests and self.request.is_late(now):
            self.refuse_the_rest()

    def refuse_the_rest(self) -> None:
        """Answer a request that is not whole, and end the connection."""
        with self.requests_lock:
            if self.request is None:
                return
            self.request.refuse(RequestTimeout("The rest did not come in time."))
            self.requests.append(self.request)
            self.request = None
        self.server.add_task(self)
