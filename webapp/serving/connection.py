"""
One connection: reads whole requests, and writes as fast as the client takes.

A thread gets a request only when all of it has arrived, and does not wait until the
answer is sent. So slow clients block no thread, and time limits end them.
"""

import time
from collections.abc import Callable
from typing import Any

from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel

from webapp.serving.hand_over import (
    MAX_INPUT_BYTES,
    HandedOver,
    OpenAnswer,
    WaitingRequest,
)
from webapp.serving.reading import RequestParser, RequestTimeout
from webapp.serving.tasks import RequestTask

SECONDS_TO_TAKE = 30.0
"""How long a client may take nothing of an answer."""
SECONDS_IDLE = 75.0
"""How long a connection may be idle: longer than the 60 s of common proxies."""


class Connection(HTTPChannel):
    """A connection, with its received requests and unsent answers."""

    parser_class = RequestParser
    task_class = RequestTask
    request: RequestParser | None
    handed_over: WaitingRequest | OpenAnswer | None = None
    """The first request's hand-over, for which no thread works."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        # The library's clock can be set back.
        self.active_at = time.monotonic()
        super().__init__(*arguments, **more)

    def add_channel(self, map: Any = None) -> None:
        super().add_channel(map)
        self.server.loop.moving.add(self._fileno)

    def readable(self) -> bool:
        if self.handed_over is not None and not self.will_close:
            # Only reading detects that the client has gone. After a waiting request one
            # more is read; later ones stay with the sender.
            return len(self.requests) == 1
        return bool(super().readable())

    def received(self, data: bytes) -> bool:
        answer = self.handed_over
        if isinstance(answer, OpenAnswer):
            answer.input_bytes += len(data)
            if answer.input_bytes > MAX_INPUT_BYTES:
                self.handle_close()
            return False
        self.active_at = time.monotonic()
        return bool(super().received(data))

    def _flush_some(self, do_close: bool = True) -> bool:
        has_moved = bool(super()._flush_some(do_close=do_close))
        if has_moved:
            self.active_at = time.monotonic()
        return has_moved

    def service(self) -> None:
        """Answer one request, in a thread, or hand it over."""
        try:
            super().service()
        except HandedOver as handed:
            handed.begin()
        self.active_at = time.monotonic()

    def begin_to_wait(self, attach: Callable[[WaitingRequest], None]) -> None:
        waiting = WaitingRequest(self)
        self.hand_over(waiting)
        attach(waiting)

    def go_on(self, attach: Callable[[OpenAnswer], None], is_chunked: bool) -> None:
        answer = OpenAnswer(self, is_chunked)
        self.hand_over(answer)
        attach(answer)

    def hand_over(self, to: WaitingRequest | OpenAnswer) -> None:
        self.handed_over = to
        # From here on the connection may be read.
        self.server.pull_trigger()

    def append(self, data: bytes) -> None:
        """Send *data* after the unsent ones. Only in the loop's thread."""
        with self.outbuf_lock:
            if not self.total_outbufs_len:
                self.active_at = time.monotonic()
            # A buffer that is written to for long keeps all that it ever held.
            self.outbufs.append(OverflowableBuffer(self.adj.outbuf_overflow))
            self.outbufs[-1].append(data)
            self.total_outbufs_len += len(data)
        self.server.loop.moving.add(self._fileno)

    def close_when_sent(self) -> None:
        """Close once all is sent. Only in the loop's thread."""
        self.close_when_flushed = True
        self.server.loop.moving.add(self._fileno)

    @property
    def is_at_rest(self) -> bool:
        """Whether there is neither an unfinished request nor an unsent answer."""
        return not (self.requests or self.request or self.total_outbufs_len)

    def tend(self, now: float, longest_idle: float = SECONDS_IDLE) -> None:
        """End requests and answers that take too long. Only in the loop's thread."""
        quiet = now - self.active_at
        if self.total_outbufs_len:
            # Closing via the flag would need a write, which the client does not take.
            if quiet > SECONDS_TO_TAKE:
                self.handle_close()
        elif self.is_at_rest:
            if quiet > longest_idle:
                self.handle_close()
        elif self.request and not self.requests and self.request.is_late(now):
            self.refuse_the_rest()

    def refuse_the_rest(self) -> None:
        """Answer an incomplete request with an error, and end the connection."""
        with self.requests_lock:
            if self.request is None:
                return
            self.request.refuse(RequestTimeout("The rest did not come in time."))
            self.requests.append(self.request)
            self.request = None
        self.server.add_task(self)
