"""
Requests that wait, or have long answers, without a thread of the server.

An application finds a `HandOver` in its environment and calls it for one of the two.
Its thread is free as soon as the application returns, and the loop alone serves the
connection. Other WSGI servers have no such object in the environment.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from webapp.serving.connection import Connection

HAND_OVER = "recount.hand_over"
"""Its key in the environment of a request."""
MAX_INPUT_BYTES = 4 * 1024
"""Bytes that a client may send during its answer, and that are not parsed yet."""


class WaitingRequest:
    """A request that the application handles again when resumed. From any thread."""

    def __init__(self, connection: "Connection") -> None:
        self.connection = connection

    @property
    def is_open(self) -> bool:
        return self.connection.connected and self.connection.handed_over is self

    def resume(self) -> None:
        self.connection.server.call_in_loop(self.end)

    def end(self) -> None:
        """Have a thread call the application again. Only in the loop's thread."""
        if self.is_open:
            self.connection.handed_over = None
            self.connection.requests[0].has_waited = True
            self.connection.server.add_task(self.connection)


class OpenAnswer:
    """
    An answer whose head is sent, and whose body is still open. From one thread.

    Bytes that the client does not take are buffered without bound: check *unsent*
    before pushing. The loop disconnects clients that take nothing for long.
    """

    def __init__(self, connection: "Connection", is_chunked: bool) -> None:
        self.connection = connection
        self.is_chunked = is_chunked
        self.pushed = 0
        self.written = 0
        self.input_bytes = 0

    @property
    def is_open(self) -> bool:
        return self.connection.connected and self.connection.handed_over is self

    @property
    def unsent(self) -> int:
        on_the_way = self.pushed - self.written
        return on_the_way + int(self.connection.total_outbufs_len)

    def push(self, data: bytes) -> None:
        """Send *data*, at least one byte, as the next part of the body."""
        if self.is_chunked:
            data = b"%X\r\n%b\r\n" % (len(data), data)
        self.pushed += len(data)

        def write() -> None:
            self.written += len(data)
            if self.is_open:
                self.connection.append(data)

        self.connection.server.call_in_loop(write)

    def finish(self) -> None:
        """End the body regularly."""
        self.connection.server.call_in_loop(self.end)

    def end(self) -> None:
        """End the body. Only in the loop's thread."""
        if self.is_open:
            if self.is_chunked:
                self.connection.append(b"0\r\n\r\n")
            self.connection.handed_over = None
            self.connection.close_when_sent()


class HandOver:
    """The calls for an application: at most one of them, once a request."""

    def __init__(self, has_waited: bool) -> None:
        self.has_waited = has_waited
        """Whether the request has waited already: then it must be answered now."""
        self.attach_waiting: Callable[[WaitingRequest], None] | None = None
        self.attach_answer: Callable[[OpenAnswer], None] | None = None

    def wait(self, attach: Callable[[WaitingRequest], None]) -> None:
        """
        Have the application called again when the waiting request is resumed.

        This call's answer is dropped. *attach* gets the waiting request, in the calling
        thread.
        """
        self.attach_waiting = attach

    def stream(self, attach: Callable[[OpenAnswer], None]) -> None:
        """
        Keep the body open once the application has answered 200, without a length.

        *attach* gets the answer, in the calling thread; it is not called if the
        application answers otherwise.
        """
        self.attach_answer = attach


class HandedOver(BaseException):
    """
    Ends a thread's work on a request, which stays with its connection.

    It is no Exception, which the library would answer.
    """

    def __init__(self, begin: Callable[[], None]) -> None:
        self.begin = begin
