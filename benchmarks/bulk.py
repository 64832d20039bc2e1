"""
Commands in batches beside commands one by one, on a running shop.

    python benchmarks/bulk.py --rounds 7

It asks `./recount up` where it runs; `--address` and `--database` name another. Each
command places an order, in a stream of its own. Singles and batches take turns, and a
ratio is of what was measured in the same round: *accepted* counts until the last answer
and *done* until the last command is final. Exit status 0 is: 8 times as many a second.
"""

import argparse
import json
import os
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg

sys.path.insert(0, os.fspath(Path(__file__).resolve().parents[1]))

from benchmarks.loading.connection import authorization_of
from embedded.handover import environment

WANTED = 8
ORDER = {
    "customer_id": "BULK",
    "items": [{"product": "RETRO-CLOCK", "quantity": 2, "unit_price": 4_950}],
    "address": {"street": "12 Orchestra Terrace", "city": "London", "country": "UK"},
}
PLACE = {"type": "PlaceOrder", "data": ORDER}


class Rate(NamedTuple):
    """Commands a second: until all were answered, and until all were final."""

    accepted: float
    done: float


class Shop(NamedTuple):
    """Where the commands go, and where it is seen that they are done."""

    host: str
    database: str
    authorization: str

    def post(self, path: str, body: bytes, kind: str, key: str) -> Any:
        connection = HTTPConnection(self.host, timeout=120)
        answer = self.post_on(connection, path, body, kind, key)
        connection.close()
        return answer

    def post_on(
        self, connection: HTTPConnection, path: str, body: bytes, kind: str, key: str
    ) -> Any:
        headers = {
            "Authorization": self.authorization,
            "Content-Type": kind,
            "Idempotency-Key": key,
        }
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        if response.status != 202:
            raise SystemExit(f"not accepted: {answer}")
        return answer


def main() -> int:
    options = parser().parse_args()
    running = {} if options.address and options.database else environment()
    address = options.address or f"http://127.0.0.1:{running.get('PORT', '5000')}"
    database = options.database or running["DATABASE_URL"]
    shop = Shop(
        urlsplit(address).netloc,
        database.replace("postgresql+psycopg", "postgresql"),
        authorization_of(options.header, running),
    )
    register = {
        "type": "RegisterCustomer",
        "data": {"customer_id": "BULK", "name": "B"},
    }
    shop.post(
        "/api/commands", json.dumps(register).encode(), "application/json", "BULK"
    )
    wait_until_done(shop)
    ways: dict[str, Callable[[], Rate]] = {
        "one by one": lambda: singles(shop, options.singles, clients=1),
        "8 clients, one by one": lambda: singles(shop, options.singles, clients=8),
        "batch": lambda: batch(shop, options.batch),
    }
    rates: dict[str, list[Rate]] = {way: [] for way in ways}
    for number in range(options.rounds):
        names = list(ways)
        for way in names[number % 3 :] + names[: number % 3]:
            rates[way].append(ways[way]())
            last = rates[way][-1]
            print(
                f"{way}: {last.accepted:,.0f} accepted, {last.done:,.0f} done a second"
            )
    return report(rates)


def singles(shop: Shop, count: int, *, clients: int) -> Rate:
    body = json.dumps(PLACE).encode()

    def send(share: int) -> None:
        connection = HTTPConnection(shop.host, timeout=30)
        for _ in range(share):
            key = uuid.uuid4().hex
            shop.post_on(connection, "/api/commands", body, "application/json", key)
        connection.close()

    return timed(shop, count, lambda: each(send, [count // clients] * clients))


def each(send: Callable[[int], None], shares: list[int]) -> None:
    with ThreadPoolExecutor(len(shares)) as pool:
        list(pool.map(send, shares))


def batch(shop: Shop, count: int) -> Rate:
    body = "\n".join([json.dumps(PLACE)] * count).encode()

    def send() -> None:
        key, kind = uuid.uuid4().hex, "application/x-ndjson"
        answer = shop.post("/api/commands/batch", body, kind, key)
        if answer["accepted"] != count:
            raise SystemExit(f"{answer['refused']} lines were refused")

    return timed(shop, count, send)


def timed(shop: Shop, count: int, send: Callable[[], None]) -> Rate:
    started = time.monotonic()
    send()
    accepted = time.monotonic()
    wait_until_done(shop)
    return Rate(count / (accepted - started), count / (time.monotonic() - started))


def wait_until_done(shop: Shop) -> None:
    with psycopg.connect(shop.database, autocommit=True) as connection:
        while connection.execute(
            "SELECT 1 FROM commands WHERE status = 'accepted' LIMIT 1"
        ).fetchone():
            time.sleep(0.01)


def report(rates: dict[str, list[Rate]]) -> int:
    print()
    is_reached = True
    for way in ("one by one", "8 clients, one by one"):
        for what in ("accepted", "done"):
            pairs = [
                getattr(many, what) / getattr(one, what)
                for many, one in zip(rates["batch"], rates[way], strict=True)
            ]
            print(
                f"batch / {way}, {what}: {median(pairs):.1f}"
                f" ({min(pairs):.1f} to {max(pairs):.1f})"
            )
            is_reached &= median(pairs) >= WANTED
    return 0 if is_reached else 1


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().split("\n")[0])
    parser.add_argument("--address", help="like http://127.0.0.1:5000")
    parser.add_argument("--database", help="its URL")
    parser.add_argument("--header", metavar="FILE", help="as for curl -H @FILE")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--singles", type=int, default=400, metavar="COUNT")
    parser.add_argument("--batch", type=int, default=4_000, metavar="COUNT")
    return parser


if __name__ == "__main__":
    sys.exit(main())
