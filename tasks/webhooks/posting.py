"""
One request to a receiver, and what became of it.

It goes to an address that was checked, with the certificate checked for the name, and
follows no redirect. `http.client` reads the answer; the socket is ours, since no client
library connects to an address and checks another name's certificate without being
taken apart, or has a limit for the whole of an exchange.
"""

import re
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, responses
from typing import Any, Literal, NamedTuple, get_args

from tasks.shop.printable import printable
from tasks.webhooks.addresses import (
    SETTING,
    Address,
    Network,
    RefusedAddress,
    check_addresses,
    resolve,
)
from tasks.webhooks.receiver import DEFAULT_PORTS, Receiver, parse_url
from tasks.webhooks.timed_socket import Deadline, TimedSocket

SECONDS_TO_CONNECT = 5.0
SECONDS_TO_ANSWER = 15.0
"""From the look-up of the name to the head of the answer, whatever trickles in."""
SECONDS_FOR_BODY = 1.0
MAX_BODY_BYTES = 1_024
"""Bytes of an answer's body that are read: only an operator looks at them."""

Outcome = Literal[
    "delivered",
    "answered",
    "redirected",
    "gone",
    "timed out",
    "unreachable",
    "refused",
    "unreadable",
]
"""
How an attempt ended.

Only a status of 2xx is `delivered`. `refused` is an address that is not permitted, and
`unreadable` an event that this version of the shop cannot read.
"""
OUTCOMES: Sequence[Outcome] = get_args(Outcome)


class Answer(NamedTuple):
    """
    What became of a request: its *outcome*, and *text* for an operator.

    *text* has nothing that the receiver wrote: it may repeat what is personal. That is
    in *body*, the beginning of the answer's body, which is neither stored nor logged.
    *retry_after* is the pause that the receiver asked for, in seconds.
    """

    outcome: Outcome
    text: str
    body: str = ""
    retry_after: float = 0.0

    @property
    def is_delivered(self) -> bool:
        return self.outcome == "delivered"


def post(
    url: str, headers: Mapping[str, str], body: bytes, allowed: Sequence[Network]
) -> Answer:
    """Send a JSON *body* to *url*, and return what became of it. Raises BadUrl."""
    receiver = parse_url(url)
    try:
        with connected(receiver, allowed) as connection:
            connection.request("POST", receiver.target, body, {**OURS, **headers})
            return judge(connection.getresponse(), connection.deadline)
    except RefusedAddress as error:
        return Answer("refused", str(error))
    except TimeoutError:
        return Answer("timed out", f"no answer within {SECONDS_TO_ANSWER:.0f} s")
    except OSError as error:
        return Answer("unreachable", describe_error(error))
    except HTTPException as error:
        return Answer("unreachable", f"{type(error).__name__}: this is no HTTP")


def describe_error(error: OSError) -> str:
    """Return an error of a connection in words, without the receiver's name."""
    name = type(error).__name__
    if isinstance(error, ssl.SSLCertVerificationError):
        # Its text has the name that the certificate is not for.
        return (
            f"{name}: the certificate is for another name, is out of date, or no known"
            f" authority has signed it (X.509 error {error.verify_code})"
        )
    if isinstance(error, ssl.SSLError):
        return f"{name}: {error.reason}"
    return f"{name}: {error.strerror}"


OURS = {
    "Content-Type": "application/json",
    "User-Agent": "recount-webhooks",
    "Connection": "close",
}


def judge(response: HTTPResponse, deadline: Deadline) -> Answer:
    """Return what a response means: only 2xx is a delivery."""
    status = response.status
    deadline.shorten(SECONDS_FOR_BODY)
    read = b""
    with suppress(OSError, HTTPException):
        read = response.read(MAX_BODY_BYTES)
    body = printable(" ".join(read.decode(errors="replace").split()))
    text = f"{status} {responses.get(status, '')}".rstrip()
    if 200 <= status < 300:
        return Answer("delivered", text, body)
    if 300 <= status < 400:
        # The other place may be anywhere, also inside of our network.
        return Answer("redirected", f"{text}; redirects are not followed", body)
    if status == 410:
        return Answer("gone", text, body)
    asked = response.headers.get("Retry-After", "")
    pause = float(asked) if re.fullmatch("[0-9]{1,9}", asked) else 0.0
    return Answer("answered", text, body, pause)


class Connection(HTTPConnection):
    """A connection to an address that was checked, with one limit for all."""

    auto_open = 0

    def __init__(
        self, receiver: Receiver, sock: socket.socket, deadline: Deadline
    ) -> None:
        # Else the Host header would name the port where it goes without saying.
        self.default_port = DEFAULT_PORTS[receiver.scheme]
        super().__init__(receiver.host, receiver.port)
        self.deadline = deadline
        self.wire = sock
        self.sock: Any = TimedSocket(sock, deadline)

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self.wire.close()


def connected(receiver: Receiver, allowed: Sequence[Network]) -> Connection:
    """
    Connect to the first address of a receiver that answers.

    Raises RefusedAddress, TimeoutError, or OSError.
    """
    deadline = Deadline(time.monotonic() + SECONDS_TO_ANSWER)
    is_encrypted = receiver.scheme == "https"
    addresses = check_addresses(
        resolve(receiver.host, receiver.port),
        allowed,
        is_encrypted=is_encrypted,
    )
    plain = connect_to_first(addresses, receiver.port, deadline)
    try:
        # Of a message in two parts the second would wait for an acknowledgement.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock = plain
        if is_encrypted:
            plain.settimeout(deadline.left())
            sock = tls_context().wrap_socket(plain, server_hostname=receiver.host)
        return Connection(receiver, sock, deadline)
    except BaseException:
        plain.close()
        raise


def connect_to_first(
    addresses: Sequence[Address], port: int, deadline: Deadline
) -> socket.socket:
    for number, address in enumerate(addresses, start=1):
        timeout = min(SECONDS_TO_CONNECT, deadline.left())
        try:
            return socket.create_connection((str(address), port), timeout)
        except OSError:
            if number == len(addresses):
                raise
    raise OSError(f"it has no address; {SETTING} changes nothing about that")


@cache
def tls_context() -> ssl.SSLContext:
    """Return what is demanded of certificates; made once, since it reads them all."""
    return ssl.create_default_context()
