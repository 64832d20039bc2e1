"""
One connection: read until a request is whole, and written to as fast as it takes.

No thread hears of a request before all of it is there, and none waits until an answer
is taken. So clients that are slow keep nobody from working; and they do not stay.
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
"""How long nothing of an answer may be taken."""
SECONDS_IDLE = 75.0
"""How long a connection may lie idle: longer than the 60 s of the usual proxies."""


class Connection(HTTPChannel):
    """A connection, with what it has sent and what it has still to take."""

    parser_class = RequestParser
    task_class = RequestTask
    request: RequestParser | None
    handed_over: WaitingRequest | OpenAnswer | None = None
    """What no thread works for, though the request of it stays the first."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        # The clock of its library can be set back.
        self.active_at = time.monotonic()
        super().__init__(*arguments, **more)

    def add_channel(self, map: Any = None) -> None:
        super().add_channel(map)
        self.server.loop.moving.add(self._fileno)

    def readable(self) -> bool:
        if self.handed_over is not None and not self.will_close:
            # Only who reads hears that the other side has gone. Of one that waits the
            # next request may come in; those behind it stay with the sender.
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
        # It is readable from now on.
        self.server.pull_trigger()

    def append(self, data: bytes) -> None:
        """Have *data* sent behind what is still to send. In the loop alone."""
        with self.outbuf_lock:
            if not self.total_outbufs_len:
                self.active_at = time.monotonic()
            # One that is written to for long keeps all that it has ever had.
            self.outbufs.append(OverflowableBuffer(self.adj.outbuf_overflow))
            self.outbufs[-1].append(data)
            self.total_outbufs_len += len(data)
        self.server.loop.moving.add(self._fileno)

    def close_when_sent(self) -> None:
        """Close once all is sent. In the loop alone."""
        self.close_when_flushed = True
        self.server.loop.moving.add(self._fileno)

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
