"""Makes requests from a seed: over all routes, right ones and wrong ones."""

import random
import re
import uuid
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from flask import Flask

from tests.requests.bodies import (
    BYTES,
    METHODS,
    PARAMETERS,
    TEXTS,
    Bodies,
    Credentials,
    Pairs,
    Request,
)
from webapp.repeated import SINGLE


class Maker(Bodies):
    """A source of requests to *app*; the same seed makes the same requests."""

    def __init__(
        self, app: Flask, commands: Mapping[str, type], known: Credentials, seed: int
    ) -> None:
        super().__init__(commands, known, random.Random(seed))
        self.rules = [
            (rule.rule, sorted((rule.methods or {"GET"}) - {"OPTIONS", "HEAD"}))
            for rule in app.url_map.iter_rules()
            if rule.endpoint != "static"
        ]
        # What changes something is asked more often than what is read.
        self.rules += 2 * [rule for rule in self.rules if "POST" in rule[1]]
        self.rules += 8 * [r for r in self.rules if r[0].startswith("/api/commands")]
        self.rules += [("/static/<path:filename>", ["GET"]), ("/nothing", ["GET"])]

    def make(self) -> Request:
        """Return the next request."""
        rule, methods = self.chance.choice(self.rules)
        method = self.chance.choice(methods if self.often() else METHODS)
        kind, body = ("", b"")
        if method not in ("GET", "HEAD") or self.chance.random() < 0.05:
            kind, body = self.body_for(rule)
        return Request(
            method=method,
            path=self.path_of(rule) + self.query(),
            headers=self.headers(kind),
            body=body,
            is_chunked=bool(body) and self.chance.random() < 0.1,
        )

    def path_of(self, rule: str) -> str:
        def value(found: re.Match[str]) -> str:
            if "uuid" in found[0] and self.often():
                return str(uuid.UUID(int=self.chance.getrandbits(128)))
            if "order" in found[0] and self.often():
                return str(
                    self.chance.choice((1, 2, 7, 10248, 2**31, 2**63 - 1, 2**70))
                )
            return quote(self.chance.choice(TEXTS), safe="") or "x"

        path = re.sub("<[^>]*>", value, rule)
        if self.chance.random() < 0.02:
            path += quote(self.chance.choice(BYTES)) + self.chance.choice(
                ("", "/", "//")
            )
        return path

    def query(self) -> str:
        if self.chance.random() < 0.75:
            return ""
        pairs = [
            (self.chance.choice(PARAMETERS), self.chance.choice(TEXTS)[:200])
            for _ in range(self.chance.randint(1, 3))
        ]
        query = urlencode(pairs)
        if self.chance.random() < 0.05:
            query += "&q=" + quote(self.chance.choice(BYTES))
        return f"?{query}"

    def headers(self, kind: str) -> Pairs:
        headers: Pairs = []
        if self.often(0.9):
            headers.append(("Authorization", self.known.authorization))
        if self.often(0.9):
            headers.append(("Cookie", self.known.cookie))
        if kind:
            headers.append(("Content-Type", kind))
        if self.often(0.7):
            key = uuid.UUID(int=self.chance.getrandbits(128)).hex
            if self.chance.random() < 0.15:
                key = self.chance.choice(("", "k", "a,b", "é", "x" * 300, "k, k"))
            headers.append(("Idempotency-Key", key))
        for _ in range(self.chance.choice((0, 0, 0, 0, 0, 0, 0, 1, 2))):
            headers.append(self.odd_header())
        if headers and self.chance.random() < 0.05:
            name, value = self.chance.choice(headers)
            headers.append((name, self.chance.choice((value, "", "other"))))
        return [(name, latin(value)) for name, value in headers]

    def odd_header(self) -> tuple[str, str]:
        name = self.chance.choice(
            (
                *[n for n in SINGLE if n != "Content-Length"],
                "Range",
                "If-None-Match",
                "If-Modified-Since",
                "Accept",
                "Prefer",
                "X-Forwarded-For",
                "Forwarded",
                "Accept-Encoding",
                "X-HTTP-Method-Override",
                "Expect-CT",
            )
        )
        known = (
            '"0"',
            '"1"',
            "*",
            "bytes=0-5",
            "bytes=9-1",
            "same-origin",
            "cross-site",
            "Bearer x",
            "Basic eA==",
            "Bearer",
            "1",
            "x" * 3_000,
        )
        values = known if self.often(0.7) else [t.replace("\0", "") for t in TEXTS]
        return name, self.chance.choice(values)


def latin(value: str) -> str:
    """Return *value* as a header can carry it."""
    plain = re.sub(r"[\r\n\0]", " ", value)
    return plain.encode().decode("latin-1").strip()
