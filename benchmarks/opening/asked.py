"""What pages of a shop are asked: addresses, and words and numbers of its rows."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from flask import Flask
from werkzeug.routing import Rule

from benchmarks.opening.browser import Browser
from readmodels.sales_sums import WAYS
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


def sales_by(way: str) -> Query:
    return lambda shop: {"by": way}


QUERIES: Mapping[str, Mapping[str, Query]] = {
    "orders.newest": {
        "": lambda shop: {},
        "a word": lambda shop: {"q": shop.word()},
        "a typo": lambda shop: {"q": shop.typo()},
        "a number": lambda shop: {"q": shop.one("orders")["order_id"]},
        "a product": lambda shop: {"q": shop.one("products")["name"]},
        "nothing is like it": lambda shop: {"q": "xyzzyqw"},
        "to be paid": lambda shop: {"due": "true", "sort": "placed"},
        "to be shipped": lambda shop: {"ready": "true", "sort": "placed"},
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
    "desk.show": {"": lambda shop: {}, "as of a day": a_day_ago},
    "search.everything": {
        "a word": lambda shop: {"q": shop.word()},
        "a typo": lambda shop: {"q": shop.typo()},
        "a number": lambda shop: {"q": shop.one("orders")["order_id"]},
    },
    "sales.show": {way: sales_by(way) for way in WAYS if way != "day"},
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
