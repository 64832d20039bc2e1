"""Makes the bodies of requests: right ones, and wrong ones of every kind."""

import json
import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlencode

from webapp.forms.definitions import BUTTONS, FORMS

Pairs = list[tuple[str, str]]

TEXTS: Sequence[str] = (
    "",
    " ",
    "0",
    "1",
    "-1",
    "7",
    "12.50",
    "1e400",
    "1,5",
    "9" * 40,
    str(2**63),
    "2026-12-24",
    "2026-12-24T08:00:00+01:00",
    "9999-12-31T23:59:59-15:00",
    "0001-01-01T00:00:00Z",
    "2026-02-30",
    "T",
    "EUR",
    "ALICE",
    "BOB",
    "RETRO-CLOCK",
    "Müller",
    "सीता",
    "Łódź",
    "a\u202eb",
    "\u200b",
    "\ufffd",
    "\U0001d538" * 30,
    "e\u0301" * 60,
    "a\0b",
    "line\r\nbreak",
    "'; DROP TABLE events; --",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "%s%n%x",
    "../../etc/passwd",
    "null",
    "x" * 300,
    "x" * 5_000,
    "a@example.org",
    "pending",
    "-total",
)
BYTES: Sequence[bytes] = (
    b"\xfc",
    b"\xff\xfe",
    b"\x80",
    b"\xed\xa0\x80",
    b"\0",
    b"\xc3",
)
TYPES: Sequence[str] = (
    "application/json",
    "application/json; charset=utf-8",
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=iso-8859-1",
    "application/x-ndjson",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "text/plain",
    "",
    "/",
    "application/problem+json;;;",
)
METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "BREW")
PARAMETERS = (
    *("status", "account", "type", "customer", "q", "sort", "limit", "after"),
    *("min_position", "long", "x", "Q", ""),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request; *path* has its query, and *headers* may name one twice."""

    method: str
    path: str
    headers: Pairs
    body: bytes = b""
    is_chunked: bool = False

    def __str__(self) -> str:
        shown = [(name, value[:60]) for name, value in self.headers]
        return f"{self.method} {self.path[:200]} {shown} {self.body[:200]!r}"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a sender has: a header that lets it in, a cookie, and a form's token."""

    authorization: str
    cookie: str
    csrf_token: str


class Bodies:
    """A source of bodies, each with the type that its request says it has."""

    def __init__(
        self, commands: Mapping[str, type], known: Credentials, chance: random.Random
    ) -> None:
        self.chance = chance
        self.commands = commands
        self.known = known
        self.bodies: Sequence[Callable[[], tuple[str, bytes]]] = (
            self.json_body,
            self.form_body,
            self.multipart_body,
            self.garbage_body,
        )

    def often(self, share: float = 0.85) -> bool:
        return self.chance.random() < share

    def body_for(self, rule: str) -> tuple[str, bytes]:
        if rule.endswith("/batch") and self.often():
            return self.batch_body()
        if rule.startswith("/api/") and self.often():
            return self.json_body()
        if not rule.startswith("/api/") and self.often():
            return self.form_body()
        kind, body = self.chance.choice(self.bodies)()
        return (kind if self.often() else self.chance.choice(TYPES)), body

    def json_body(self) -> tuple[str, bytes]:
        text = json.dumps(self.command(), ensure_ascii=self.often(0.5))
        return "application/json", self.spoilt(text.encode(errors="surrogatepass"))

    def batch_body(self) -> tuple[str, bytes]:
        count = self.chance.choice((1, 2, 5, 20, 200))
        if self.chance.random() < 0.02:
            line = self.chance.choice((b"x", b"{}", b"", b'{"type":"Deposit"}'))
            return "application/x-ndjson", b"\n".join([line] * 50_000)
        commands = [
            {**self.command(), "key": str(self.chance.random())} for _ in range(count)
        ]
        if self.often(0.3):
            return "application/json", json.dumps(commands).encode()
        lines = "\n".join(json.dumps(command) for command in commands)
        return "application/x-ndjson", self.spoilt(lines.encode())

    def command(self) -> dict[str, Any]:
        name, kind = self.chance.choice(sorted(self.commands.items()))
        data = {
            field.name: self.value(field.name)
            for field in fields(kind)
            if self.often(0.8)
        }
        body: dict[str, Any] = {"type": name, "data": data}
        if self.chance.random() < 0.1:
            body[
                self.chance.choice(("expected_version", "not_before", "x", "because"))
            ] = self.value("x")
        if self.chance.random() < 0.05:
            body["type"] = self.junk(2)
        return body

    def value(self, name: str) -> Any:
        right: Any = {
            "items": [{"product": "RETRO-CLOCK", "quantity": 2, "unit_price": 1250}],
            "address": {"street": "1 Road", "city": "Bergen", "country": "Norway"},
            "amount": 500,
            "order_id": self.chance.randint(1, 50),
            "currency": "EUR",
        }.get(name, self.chance.choice(("ALICE", "BOB", "till", "Müller", "X1")))
        if self.often(0.8):
            return right
        if isinstance(right, list) and self.often(0.5):
            return [self.junk(3) for _ in range(self.chance.choice((0, 1, 300)))]
        if isinstance(right, dict) and self.often(0.5):
            return {**right, self.chance.choice(tuple(right)): self.junk(3)}
        return self.junk(3)

    def junk(self, deep: int) -> Any:
        """Return any JSON value."""
        kind = self.chance.randint(0, 9)
        if kind == 0 and deep:
            return [self.junk(deep - 1) for _ in range(self.chance.randint(0, 5))]
        if kind == 1 and deep:
            return {
                self.chance.choice(TEXTS)[:50]: self.junk(deep - 1)
                for _ in range(self.chance.randint(0, 5))
            }
        return self.chance.choice(
            (
                None,
                True,
                False,
                0,
                -1,
                1.5,
                1e308,
                -0.0,
                2**31,
                2**63,
                2**64,
                10**400,
                "\ud800",
                *TEXTS,
            )
        )

    def spoilt(self, body: bytes) -> bytes:
        """Return *body*, most often as it is."""
        if self.often(0.9):
            return body
        place = self.chance.randrange(len(body) + 1)
        return self.chance.choice(
            (
                body[:place],
                body[:place] + self.chance.choice(BYTES) + body[place:],
                b"[" * 5_000 + body,
                b"{" + b'"a":{' * 3_000,
                b'{"type": 1, "type": 2}',
                b'"' + b"\\" * 9_999,
                b"[NaN, Infinity]",
                b"1" * 6_000,
                b"\xef\xbb\xbf" + body,
                body + b" " * 70_000,
            )
        )

    def form_pairs(self) -> Pairs:
        form = self.chance.choice(list(FORMS.values()))
        names = [*form.fields, *[f"items.0.{name}" for name in form.line_fields]]
        pairs = [(name, self.chance.choice(TEXTS)) for name in names if self.often(0.8)]
        if self.often(0.95):
            pairs.append(("csrf_token", self.known.csrf_token))
        if self.often(0.8):
            pairs.append(("key", uuid.UUID(int=self.chance.getrandbits(128)).hex))
        if form.expects_version and self.often():
            pairs.append(("version", self.chance.choice(("1", "0", "", "x", "9" * 30))))
        if self.chance.random() < 0.15:
            pairs.append(
                (self.chance.choice(sorted(BUTTONS)), self.chance.choice(TEXTS))
            )
        if self.chance.random() < 0.1:
            line = self.chance.choice(
                ("items.9999.product", "items.-1.x", "items..", "items")
            )
            pairs.append((line, self.chance.choice(TEXTS)))
        if pairs and self.chance.random() < 0.1:
            pairs.append((self.chance.choice(pairs)[0], self.chance.choice(TEXTS)))
        return pairs

    def form_body(self) -> tuple[str, bytes]:
        body = urlencode(self.form_pairs()).encode()
        if self.chance.random() < 0.05:
            body += b"&name=" + self.chance.choice(BYTES)
        if self.chance.random() < 0.01:
            name = self.chance.choice((b"a", b"items.%d.product", b"%d"))
            body += b"".join(
                b"&" + name.replace(b"%d", b"%d" % n) + b"=1" for n in range(10_000)
            )
        return "application/x-www-form-urlencoded", body

    def multipart_body(self) -> tuple[str, bytes]:
        parts = "".join(
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
            for name, text in self.form_pairs()
        )
        return "multipart/form-data; boundary=x", self.spoilt(
            f"{parts}--x--\r\n".encode()
        )

    def garbage_body(self) -> tuple[str, bytes]:
        size = self.chance.choice((0, 1, 100, 10_000, 300_000))
        return self.chance.choice(TYPES), self.chance.randbytes(size)
