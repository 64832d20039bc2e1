"""A connection to the API that is kept alive, and opened again when it was closed."""

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tasks.shop.local_access import header_file, read_authorization

CLOSED = (http.client.RemoteDisconnected, ConnectionError)
"""What a request meets on a connection that the server closed for being idle."""


def authorization_of(header: str | None, running: Mapping[str, str]) -> str:
    """Return what is sent to the shop: of the file *header*, or of the *running* up."""
    folder = running.get("STATE_DIR", ".local")
    path = Path(header) if header else header_file(Path(folder))
    try:
        return read_authorization(path)
    except OSError as error:
        raise SystemExit(f"{path}: {error.strerror}; name it by --header") from error


class Connection:
    """One connection; not for several threads."""

    def __init__(self, address: str, authorization: str) -> None:
        self.authorization = authorization
        self.http = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)

    def send(self, key: str, type_: str, data: dict[str, Any]) -> tuple[int, Any]:
        """Send a command; return the status and the body of the answer."""
        body = json.dumps({"type": type_, "data": data}).encode()
        return self.call("POST", "/api/commands", body, key)

    def get(self, path: str) -> tuple[int, Any]:
        return self.call("GET", path)

    def call(
        self, method: str, path: str, body: bytes | None = None, key: str = ""
    ) -> tuple[int, Any]:
        """
        Return the status and the JSON of the answer.

        A connection that lay idle may be closed just then: once more, under the same
        key. Raises OSError or HTTPException where nothing answers then either.
        """
        headers = {
            "Authorization": self.authorization,
            "Content-Type": "application/json",
            "Idempotency-Key": key,
        }
        try:
            self.http.request(method, path, body, headers)
            response = self.http.getresponse()
        except CLOSED:
            self.http.close()
            self.http.request(method, path, body, headers)
            response = self.http.getresponse()
        return response.status, json.loads(response.read())

    def close(self) -> None:
        self.http.close()
