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
import os
import re
import sys
import time
from dataclasses import dataclass, field
from html import unescape
from random import Random
from urllib.parse import urlencode

from werkzeug.routing import Rule

from benchmarks.loading.figures import percentile
from benchmarks.opening.asked import ALONE, QUERIES, Query, Shop, look_round, rules
from benchmarks.opening.browser import Answer, Browser

MAKING, MAKING_OF_API = 202, 503
"""What says that a moment of the past is being made."""


@dataclass
class Measurement:
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


def measure(
    browser: Browser, shop: Shop, rule: Rule, query: Query, times: int
) -> Measurement | None:
    """Return what opening a page so often has shown; None if there is none."""
    found = Measurement()
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
    page = browser.open("/")
    names = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.body.decode()))
    files = [browser.open(unescape(name)) for name in sorted(names)]
    return sum(len(one.sent) for one in [page, *files]), len(files)


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
    print(f"{', '.join(counts)}; load {os.getloadavg()[0]:.1f}\n")
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
    print(f"\nload {os.getloadavg()[0]:.1f}")
    print(*over and ["\nOver the bounds:", *over], sep="\n")
    sys.exit(1 if over else 0)


HEADER = f"{'page':44}{'p50 ms':>8}{'p95 ms':>8}{'max ms':>8}{'sent':>9}{'plain':>9}"
HEADER_OF_FILES = f"\n{'file':44}{'first s':>8}{'all s':>8}{'lines':>9}{'sent':>11}"


def line_of(title: str, found: Measurement | None) -> str:
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
