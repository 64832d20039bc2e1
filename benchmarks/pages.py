"""
How long each page of a shop that is up takes, and how many bytes it sends.

    ./recount users add mia --role admin                        # once, with a password
    RECOUNT_PASSWORD=… .venv/bin/python -m benchmarks.pages --user mia --times 40

It logs in and opens every address that can be opened, with orders, customers and words
of the shop taken at random by a seed, over one connection, one at a time. A page's
milliseconds are from the request to the last byte of the answer. Files of lists are
apart: to their first byte, and how many rows a second. Exit status 1 means that a page
is over the bounds of `--milliseconds` (of 95 %) and `--kilobytes` (the first page).
"""

import argparse
import csv
import gzip
import io
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from http.client import HTTPConnection
from random import Random
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from flask import Flask
from werkzeug.routing import Rule

from benchmarks.loading.figures import percentile
from webapp.application import SUBJECTS
from webapp.url_converters import know_numbers

NOT_OPENED = {
    "commands.fate": "wants a command of somebody's",
    "entrance.ask": "its secret holds once",
    "first_user.ask": "the shop has users",
}
LISTS = {
    "order_id": "orders",
    "customer_id": "customers",
    "product_id": "products",
    "account_id": "accounts",
    "transfer_id": "transfers",
    "position": "accounts",
}
"""The list that has what stands in an address."""
MAKING, MAKING_OF_API = 202, 503
"""What says that a moment of the past is being made."""


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


@dataclass
class Measured:
    """What opening one page several times has shown."""

    seconds: list[float] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)
    plain: list[int] = field(default_factory=list)
    statuses: set[int] = field(default_factory=set)
    slowest: str = ""

    def add(self, path: str, answer: Answer) -> None:
        if answer.seconds > max(self.seconds, default=0):
            self.slowest = path
        self.seconds.append(answer.seconds)
        self.statuses.add(answer.status)
        self.sent.append(len(answer.sent))
        self.plain.append(len(answer.body))

    def at(self, percent: float) -> float:
        return 1000 * percentile(self.seconds, percent)


@dataclass
class Shop:
    """The rows of its lists by name, lines of statements, and what chooses of them."""

    rows: Mapping[str, Sequence[Mapping[str, str]]]
    lines: Sequence[Mapping[str, str]]
    random: Random

    def one(self, name: str) -> Mapping[str, str]:
        return self.random.choice(self.rows[name])

    def word(self) -> str:
        """Return a word of somebody's name."""
        words = re.findall(r"[^\W\d]{5,}", self.one("customers")["name"])
        return self.random.choice(words) if words else self.word()

    def typo(self) -> str:
        """Return such a word with one letter left out, but not the first ones."""
        word = self.word()
        place = self.random.randrange(3, len(word))
        return word[:place] + word[place + 1 :]

    def arguments_of(self, rule: Rule) -> Mapping[str, str] | None:
        """Return what stands in an address; None if the shop has nothing for it."""
        line = self.random.choice(self.lines) if "position" in rule.arguments else {}
        found = dict(line)
        for name in rule.arguments - found.keys():
            if name not in LISTS or not self.rows[LISTS[name]]:
                return None
            found[name] = self.one(LISTS[name])[name]
        return found


Query = Callable[[Shop], Mapping[str, str | list[str]]]


def ten_orders(shop: Shop) -> Mapping[str, str | list[str]]:
    numbers = sorted({shop.one("orders")["order_id"] for _ in range(10)})
    return {"action": "print", "order": numbers}


def a_day_ago(shop: Shop) -> Mapping[str, str]:
    return {"as_of": f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"}


QUERIES: Mapping[str, Mapping[str, Query]] = {
    "orders.newest": {
        "": lambda shop: {},
        "a word": lambda shop: {"q": shop.word()},
        "a typo": lambda shop: {"q": shop.typo()},
        "a number": lambda shop: {"q": shop.one("orders")["order_id"]},
        "a product": lambda shop: {"q": shop.one("products")["name"]},
        "nothing is like it": lambda shop: {"q": "xyzzyqw"},
        "to be paid": lambda shop: {"due": "true", "sort": "placed"},
        "late": lambda shop: {"late": "true"},
        "a status": lambda shop: {"status": shop.one("orders")["status"]},
        "a customer": lambda shop: {"customer": shop.one("customers")["customer_id"]},
        "by total": lambda shop: {"sort": "-total"},
        "as of a day": a_day_ago,
    },
    "customers.all_of_them": {
        "": lambda shop: {},
        "a word": lambda shop: {"q": shop.word()},
        "a typo": lambda shop: {"q": shop.typo()},
        "by worth": lambda shop: {"sort": "-worth"},
        "as of a day": a_day_ago,
    },
    "orders.show_one": {
        "": lambda shop: {},
        "its address": lambda shop: {"kind": "address"},
        "as of a day": a_day_ago,
    },
    "many.ask": {"ten": ten_orders},
    "reasons.order": {"total": lambda shop: {"column": "total"}},
    "reasons.customer": {"worth": lambda shop: {"column": "worth"}},
    "reasons.product": {"price": lambda shop: {"column": "unit_price"}},
    "reasons.account": {"balance": lambda shop: {"column": "balance"}},
    "reasons.statement_line": {"balance": lambda shop: {"column": "balance"}},
    "reasons.transfer": {"status": lambda shop: {"column": "status"}},
}
"""What pages are asked, by endpoint; others have nothing behind their address."""
ALONE: Mapping[str, Query] = {"": lambda shop: {}}


def rules() -> Iterator[Rule]:
    """Yield the addresses of all pages, without making a shop."""
    app = Flask("pages")
    know_numbers(app)
    for subject in SUBJECTS:
        app.register_blueprint(subject.routes)
    for rule in app.url_map.iter_rules():
        is_page = "GET" in (rule.methods or ()) and not rule.rule.startswith("/api")
        if is_page and rule.endpoint not in ("static", *NOT_OPENED):
            yield rule


def look_round(browser: Browser, random: Random) -> Shop:
    """Return what the shop has, as its files say."""
    rows = {name: rows_of(browser, f"/{name}.csv") for name in set(LISTS.values())}
    lines = [
        {"account_id": account["account_id"], "position": line["position"]}
        for account in rows["accounts"][:20]
        for line in rows_of(
            browser, f"/accounts/{account['account_id']}/statement.csv"
        )[:50]
    ]
    return Shop(rows, lines, random)


def rows_of(browser: Browser, path: str) -> list[dict[str, str]]:
    answer = browser.open(path)
    if answer.status != 200:
        raise SystemExit(f"{path} was answered with {answer.status}.")
    return list(csv.DictReader(io.StringIO(answer.body.decode())))


def measure(
    browser: Browser, shop: Shop, rule: Rule, query: Query, times: int
) -> Measured | None:
    """Return what opening a page so often has shown; None if there is none."""
    found = Measured()
    for _ in range(times):
        arguments = shop.arguments_of(rule)
        if arguments is None:
            return None
        built = rule.build(arguments, append_unknown=False)
        assert built is not None
        asked = urlencode(query(shop), doseq=True)
        path = f"{built[1]}?{asked}" if asked else built[1]
        answer = browser.open(path)
        while answer.status == MAKING:
            # A moment of the past is made once, and is no part of its page.
            time.sleep(1)
            answer = browser.open(path)
        found.add(path, answer)
    return found


def first_page(browser: Browser) -> tuple[int, int]:
    """Return how many bytes the first page sends with its files, and how many files."""
    answer = browser.open("/")
    page = browser.open(answer.headers["Location"])
    names = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.body.decode()))
    files = [browser.open(unescape(name)) for name in sorted(names)]
    return sum(len(one.sent) for one in [answer, page, *files]), len(files)


def main() -> None:
    parser = argparse.ArgumentParser(prog="pages", description=__doc__)
    parser.add_argument("--address", default="http://127.0.0.1:5000")
    parser.add_argument("--user", required=True)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="the beginning of endpoints")
    parser.add_argument("--milliseconds", type=float, default=200)
    parser.add_argument("--kilobytes", type=float, default=100)
    options = parser.parse_args()
    browser = Browser(options.address)
    browser.log_in(options.user, os.environ["RECOUNT_PASSWORD"])
    shop = look_round(browser, Random(options.seed))
    counts = (f"{len(rows):,} {name}" for name, rows in sorted(shop.rows.items()))
    print(f"{', '.join(counts)}\n")
    over = []
    sent, files = first_page(browser)
    print(f"The first page with its {files} files: {sent / 1000:.1f} kB\n")
    if sent > 1000 * options.kilobytes:
        over.append("the first page")
    print(HEADER)
    some = [rule for rule in rules() if rule.endpoint.startswith(options.only)]
    for rule in (one for one in some if not one.rule.endswith(".csv")):
        for name, query in QUERIES.get(rule.endpoint, ALONE).items():
            title = f"{rule.endpoint} {name}".strip()
            found = measure(browser, shop, rule, query, options.times)
            print(line_of(title, found))
            if found and found.at(95) > options.milliseconds:
                over.append(f"{title}, slowest {found.slowest}")
    print(HEADER_OF_FILES)
    for rule in (one for one in some if one.rule.endswith(".csv")):
        print(line_of_file(browser, shop, rule))
    print(*over and ["\nOver the bounds:", *over], sep="\n")
    sys.exit(1 if over else 0)


HEADER = f"{'page':44}{'p50 ms':>8}{'p95 ms':>8}{'max ms':>8}{'sent':>9}{'plain':>9}"
HEADER_OF_FILES = f"\n{'file':44}{'first s':>8}{'all s':>8}{'lines':>9}{'sent':>11}"


def line_of(title: str, found: Measured | None) -> str:
    if found is None:
        return f"{title:44}{'the shop has nothing to show there':>8}"
    times = "".join(f"{found.at(percent):8.1f}" for percent in (50, 95, 100))
    others = sorted({status for status in found.statuses if status != 200})
    told = f"  {others}" if others else ""
    return f"{title:44}{times}{max(found.sent):9,}{max(found.plain):9,}{told}"


def line_of_file(browser: Browser, shop: Shop, rule: Rule) -> str:
    arguments = shop.arguments_of(rule)
    built = None if arguments is None else rule.build(arguments)
    if built is None:
        return f"{rule.endpoint:44}{'the shop has nothing to show there':>8}"
    answer = browser.open(built[1])
    while answer.status == MAKING_OF_API:
        time.sleep(1)
        answer = browser.open(built[1])
    lines = answer.body.count(b"\r\n")
    return (
        f"{rule.endpoint:44}{answer.first:8.2f}{answer.seconds:8.2f}{lines:9,}"
        f"{len(answer.sent):11,}"
    )


if __name__ == "__main__":
    main()
