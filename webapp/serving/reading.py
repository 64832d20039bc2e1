"""The parser of a request's received bytes, and the time limit for the rest."""

import time
from typing import Any

from waitress.parser import HTTPRequestParser, ParsingError
from waitress.utilities import BadRequest, Error

SECONDS_TO_SEND = 20.0
"""From the first byte of a request to its last, plus a time by its size."""
MIN_BYTES_A_SECOND = 8 * 1024
"""The bytes for which a request may take a second longer."""
MAX_CONTROL_LINE_BYTES = 4 * 1024
"""Bytes of a line with a chunk's size, or of what follows the chunks."""


class RequestTimeout(Error):
    """The rest of the request did not come in time."""

    code = 408
    reason = "Request Timeout"


class RequestParser(HTTPRequestParser):
    """The parser; stricter than the library if proxies could parse differently."""

    # A request with an invalid head has none, and the library logs it.
    path = ""
    has_waited = False
    """Whether the application handled it before, and it then waited."""

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self.began = time.monotonic()
        self.size = 0

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        self.size += consumed
        line = getattr(self.body_rcv, "control_line", b"")
        trailer = getattr(self.body_rcv, "trailer", b"")
        if not self.completed and max(len(line), len(trailer)) > MAX_CONTROL_LINE_BYTES:
            self.refuse(BadRequest("A chunk has no size that can be read"))
        return consumed

    def refuse(self, error: Error) -> None:
        self.error = error
        self.completed = True

    def parse_header(self, header_plus: bytes) -> None:
        """Parse the head. Raises ParsingError if the request's end is ambiguous."""
        super().parse_header(header_plus)
        if self.version not in ("1.0", "1.1"):
            raise ParsingError("This is neither HTTP/1.0 nor HTTP/1.1")
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("There is a Content-Length beside Transfer-Encoding")
        if "TRANSFER_ENCODING" in self.headers:
            raise ParsingError("HTTP/1.0 has no Transfer-Encoding")

    def is_late(self, now: float) -> bool:
        return now > self.began + SECONDS_TO_SEND + self.size / MIN_BYTES_A_SECOND
