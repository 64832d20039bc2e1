"""
Requests that wait, or are answered for long, without a thread of the server's.

An application finds a `HandOver` in its environment and asks it for one of the two. Its
thread goes on to the next request as soon as it returns, and the connection is the
loop's alone. Another WSGI server has no such thing in its environment.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from webapp.serving.connection import Connection

HAND_OVER = "recount.hand_over"
"""What the environment of a request calls it."""
MAX_INPUT_BYTES = 4 * 1024
"""Bytes that may come in from who is being answered, and are not looked at."""


class WaitingRequest:
    """A request that is asked again when it is resumed. From any thread."""

    def __init__(self, connection: "Connection") -> None:
        self.connection = connection

    @property
    def is_open(self) -> bool:
        return self.connection.connected and self.connection.handed_over is self

    def resume(self) -> None:
        self.connection.server.call_in_loop(self.end)

    def end(self) -> None:
        """Have a thread ask the application again. For the thread of the loop alone."""
        if self.is_open:
            self.connection.handed_over = None
            self.connection.requests[0].has_waited = True
            self.connection.server.add_task(self.connection)


class OpenAnswer:
    """
    An answer whose head is sent, and whose body goes on. From one thread.

    What is not taken is kept: *unsent* says how many bytes, and who pushes on above
    that has no bound. Who takes nothing of it for long is disconnected by the loop.
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
        """Send *data*, which are not empty, as the next part of the body."""
        if self.is_chunked:
            data = b"%X\r\n%b\r\n" % (len(data), data)
        self.pushed += len(data)

        def write() -> None:
            self.written += len(data)
            if self.is_open:
                self.connection.append(data)

        self.connection.server.call_in_loop(write)

    def finish(self) -> None:
        """End the body, as it was meant to end."""
        self.connection.server.call_in_loop(self.end)

    def end(self) -> None:
        """End the body. For the thread of the loop alone."""
        if self.is_open:
            if self.is_chunked:
                self.connection.append(b"0\r\n\r\n")
            self.connection.handed_over = None
            self.connection.close_when_sent()


class HandOver:
    """What an application asks for: at most one thing, and once a request."""

    def __init__(self, has_waited: bool) -> None:
        self.has_waited = has_waited
        """Whether it has waited already: then it is to be answered now."""
        self.attach_waiting: Callable[[WaitingRequest], None] | None = None
        self.attach_answer: Callable[[OpenAnswer], None] | None = None

    def wait(self, attach: Callable[[WaitingRequest], None]) -> None:
        """
        Have the request asked again when the waiting one is resumed.

        What the application answers this time is dropped. *attach* gets the waiting
        request, in the thread that has asked.
        """
        self.attach_waiting = attach

    def stream(self, attach: Callable[[OpenAnswer], None]) -> None:
        """
        Go on with the body once the application has answered 200, without a length.

        *attach* gets the answer, in the thread that has asked; never, where the
        application answers otherwise after all.
        """
        self.attach_answer = attach


class HandedOver(BaseException):
    """
    Leaves the work on a request, which stays its connection's.

    No error: as such its library would answer it.
    """

    def __init__(self, begin: Callable[[], None]) -> None:
        self.begin = begin
