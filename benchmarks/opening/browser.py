"""A browser without a cache, which notes how long an answer takes."""

import gzip
import re
import time
from collections.abc import Mapping
from html import unescape
from http.client import HTTPConnection
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit


class Answer(NamedTuple):
    """*seconds* are to the last byte, *first* to the first one; *sent* are bytes."""

    status: int
    headers: Mapping[str, str]
    sent: bytes
    first: float
    seconds: float

    @property
    def body(self) -> bytes:
        is_zipped = self.headers.get("Content-Encoding") == "gzip"
        return gzip.decompress(self.sent) if is_zipped else self.sent


class Browser:
    """A browser without a cache: one connection, its cookies, and gzip."""

    def __init__(self, address: str) -> None:
        self.http = HTTPConnection(urlsplit(address).netloc, timeout=120)
        self.cookies: dict[str, str] = {}

    def open(self, path: str, form: Mapping[str, str] | None = None) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Accept-Encoding": "gzip", "Cookie": cookies}
        body = None if form is None else urlencode(form)
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        begun = time.perf_counter()
        self.http.request("GET" if form is None else "POST", path, body, headers)
        answer = self.http.getresponse()
        sent = answer.read(1)
        first = time.perf_counter() - begun
        sent += answer.read()
        seconds = time.perf_counter() - begun
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return Answer(answer.status, dict(answer.headers), sent, first, seconds)

    def log_in(self, name: str, password: str) -> None:
        page = self.open("/login").body.decode()
        hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page)
        typed = {"name": name, "password": password}
        form = {field: unescape(value) for field, value in hidden}
        answer = self.open("/login", {**form, **typed})
        if answer.status not in (302, 303):
            raise SystemExit(f"The login was answered with {answer.status}.")
