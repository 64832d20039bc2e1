"""Requests to Elasticsearch or OpenSearch, and what their errors mean."""

import logging
import os
import re
import threading
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import msgspec

from eventstore.errors.stores import StoreAway, Unanswerable

if TYPE_CHECKING:
    from elastic_transport import Transport

T = TypeVar("T")

Body = Mapping[str, Any] | Iterable[bytes] | None
"""What is sent: a mapping as JSON, or lines of JSON."""

SECONDS_TO_ANSWER = 0.15
"""For all requests of a query together: then PostgreSQL answers it."""
SECONDS_TO_WRITE = 10.0
MAX_CONNECTIONS = 64

OPTIONS = ("ca_certs",)
JSON = "application/json"
LINES = "application/x-ndjson"
FULL = "cluster_block_exception"
"""The type of the error of a server that takes no writes, as when its disk is full."""


class Answer(NamedTuple):
    """The answer to a request: the HTTP *status*, and the body as it came."""

    status: int
    body: bytes


class Fault(msgspec.Struct, frozen=True):
    """What is said of an error: its *type*, and a *reason*, which may have values."""

    type: str = ""
    reason: str = ""


class ErrorBody(msgspec.Struct):
    """The body of an answer that is an error."""

    error: Fault | str = ""


class SearchClient:
    """
    A client for the server at *url*, `http` or `https`.

    The URL may have a user and a password, and `?ca_certs=FILE` names a file with the
    certificates that may sign the server's. *store* is the name of the store, for
    errors. It may be used by several threads, and by processes forked from this one.
    """

    def __init__(self, url: str, store: str = "search") -> None:
        self.store = store
        self.url = url
        self.lock = threading.Lock()
        self.owner: int | None = None
        self._transport: Transport | None = None

    def ask(
        self,
        method: str,
        path: str,
        body: Body = None,
        *,
        seconds: float,
        accepts: Collection[int] = (),
    ) -> Answer:
        """
        Return the answer to a request; it waits *seconds* at most for each part.

        *body* is a mapping, which is sent as JSON, or lines. Raises StoreAway if there
        is no answer, or an error whose status is not one of *accepts*.
        """
        # Imported where a store is used: it takes a third of a second.
        from elastic_transport import TransportError

        headers, content = {"accept": JSON}, None
        if isinstance(body, Mapping):
            headers["content-type"], content = JSON, msgspec.json.encode(body)
        elif body is not None:
            headers["content-type"] = LINES
            content = b"".join(line + b"\n" for line in body)
        try:
            found = self.transport().perform_request(
                method, path, body=content, headers=headers, request_timeout=seconds
            )
        except TransportError as error:
            raise StoreAway(self.store, reason_of(error)) from error
        text = found.body or b""
        answer = Answer(
            found.meta.status, text.encode() if isinstance(text, str) else text
        )
        if answer.status < 300 or answer.status in accepts:
            return answer
        raise self.refused(answer)

    def refused(self, answer: Answer) -> StoreAway:
        """Return the error for an answer that is one."""
        kind = fault_in(answer).type
        if answer.status in (401, 403) and kind != FULL:
            return StoreAway(self.store, f"it refuses the login ({answer.status})")
        # A search of more clauses than it takes, for one.
        away = Unanswerable if answer.status == 400 else StoreAway
        return away(self.store, told(answer.status, kind))

    def read(self, answer: Answer, kind: type[T]) -> T:
        """Return the body of an answer. Raises StoreAway if it is none of that form."""
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except msgspec.MsgspecError as error:
            raise StoreAway(self.store, "its answer has an unknown form") from error

    def transport(self) -> "Transport":
        """Return the connections of this process; they are made when first used."""
        with self.lock:
            if self._transport is None or self.owner != os.getpid():
                self._transport, self.owner = new_transport(self.url), os.getpid()
            return self._transport

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        with self.lock:
            if self._transport is not None and self.owner == os.getpid():
                self._transport.close()
            self._transport = None


def new_transport(url: str) -> "Transport":
    from elastic_transport import JsonSerializer, Transport
    from elastic_transport.client_utils import url_to_node_config

    class Bytes(JsonSerializer):
        """Bodies as they came: reading them is cheaper where their form is known."""

        def loads(self, data: bytes) -> bytes:
            return data

    # It would log each request, and with DEBUG the rows in it.
    logging.getLogger("elastic_transport").setLevel(logging.ERROR)
    address, options = address_in(url)
    node = url_to_node_config(address, use_default_ports_for_scheme=True)
    return Transport(
        [node.replace(connections_per_node=MAX_CONNECTIONS, **options)],
        serializers={JSON: Bytes()},
        max_retries=0,
        meta_header=False,
    )


def address_in(url: str) -> tuple[str, dict[str, str]]:
    """Return *url* without its options, and these: the file of `ca_certs`."""
    parts = urlsplit(url)
    options = {name: value for name, value in parse_qsl(parts.query) if name in OPTIONS}
    return urlunsplit((*parts[:3], "", "")), options


def fault_in(answer: Answer) -> Fault:
    """Return what an answer says of its error; nothing if it has another form."""
    try:
        error = msgspec.json.decode(answer.body, type=ErrorBody).error
    except msgspec.MsgspecError:
        return Fault()
    return Fault() if isinstance(error, str) else error


def told(status: int, kind: str) -> str:
    """Return in words, without a value of a row, what a server answered."""
    if kind == FULL:
        return "it takes no writes: its disk may be full"
    shown = kind if re.fullmatch("[a-z_]{1,80}", kind) else "an error"
    return f"{shown} ({status})"


def reason_of(error: Exception) -> str:
    """Return in a few words why there was no answer at all."""
    from elastic_transport import ConnectionTimeout, TlsError

    if isinstance(error, ConnectionTimeout):
        return "it did not answer in time"
    if isinstance(error, TlsError):
        return "its certificate is not accepted, or it does not speak TLS"
    return "no connection"
