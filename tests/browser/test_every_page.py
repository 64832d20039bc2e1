"""Every page can be used by everybody: at each width, in light and dark, with axe."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask
from playwright.sync_api import Page, ViewportSize

from tests.support.accessible import findings, too_wide
from tests.support.browsing import Browsers
from tests.support.running_shop import RunningShop
from webapp import create_app

LONG_NAME = "長" * 100 + "W" * 100
PHONE: ViewportSize = {"width": 390, "height": 844}
AT_200_PERCENT: ViewportSize = {"width": 640, "height": 450}
"""A window of 1280 by 900 in which everything is twice as large."""
PARAMETERS = {
    "search.everything": "?q=1",
    "many.ask": "?action=payment&order=1&order=2",
    "reasons.order": "?column=total",
    "reasons.customer": "?column=name",
    "reasons.product": "?column=name",
    "reasons.account": "?column=balance",
    "reasons.statement_line": "?column=balance",
    "reasons.transfer": "?column=status",
}
NO_PAGES = {"static", "health.alive", "health.ready", "metrics.metrics"}
"""Of programs, or a way to another page."""
AT_THE_END_OF_A_CHORE = {"many.fates"}
"""Axe has looked at them there."""
NOT_FOR_THEM = {"login.ask", "entrance.ask", "first_user.ask"}
"""Of who is not logged in; a test of its own looks at them."""
LEFT_OUT = NO_PAGES | NOT_FOR_THEM | AT_THE_END_OF_A_CHORE


@dataclass(slots=True)
class Survey:
    """What is wrong with pages, by the path."""

    axe: dict[str, list[str]] = field(default_factory=dict)
    phone: dict[str, list[str]] = field(default_factory=dict)
    zoomed: dict[str, list[str]] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)

    def look_at(self, page: Page, path: str) -> None:
        """Load a page once, and look at it in each size and scheme."""
        page.set_viewport_size({"width": 1280, "height": 900})
        answer = page.goto(path)
        assert answer is not None
        self.statuses[path] = answer.status
        self.axe[path] = findings(page)
        page.set_viewport_size(AT_200_PERCENT)
        self.zoomed[path] = too_wide(page)
        page.set_viewport_size(PHONE)
        self.phone[path] = too_wide(page)
        self.axe[path] += [f"at 390: {f}" for f in findings(page, schemes=("dark",))]


def wrong(found: dict[str, list[str]]) -> str:
    """Return what is wrong, a path a line."""
    return "\n".join(f"{path}: {faults}" for path, faults in found.items() if faults)


def addresses(app: Flask, names: dict[str, str]) -> Iterator[str]:
    """Yield the address of each page that somebody who is logged in can open."""
    for rule in app.url_map.iter_rules():
        is_page = "GET" in (rule.methods or ()) and "/api" not in rule.rule
        is_page = is_page and not rule.rule.endswith(".csv")
        if (
            not is_page
            or rule.endpoint in NO_PAGES | NOT_FOR_THEM | AT_THE_END_OF_A_CHORE
        ):
            continue
        ending = PARAMETERS.get(rule.endpoint, "")
        path = re.sub("<(?:[^:>]*:)?([^>]*)>", lambda found: names[found[1]], rule.rule)
        yield path + ending


@pytest.fixture(scope="module")
def names(desk: RunningShop) -> dict[str, str]:
    """What stands in the addresses: the longest names, and something of everything."""
    customer = desk.do("RegisterCustomer", name=LONG_NAME, email="w@example.com")
    product = desk.do("AddProduct", name=LONG_NAME, unit_price=100, currency="EUR")
    order = desk.order((LONG_NAME, 100_000, 99_999_900), customer=customer, terms=30)
    desk.do("ReceivePayment", order_id=order, amount=500)
    note = {"order_id": int(order), "customer_id": customer, "text": LONG_NAME}
    lines = [{"line": 1, "quantity": 1}]
    desk.do("ShipParcel", order_id=order, tracking_no="W" * 60, lines=lines)
    noted = desk.done("AddNote", note)
    desk.settle()
    with desk.shop.lent() as connection:
        statement = connection.execute(
            "SELECT account_id, position FROM readmodels.account_statement LIMIT 1"
        ).fetchone()
        transfer = connection.execute(
            "SELECT transfer_id FROM readmodels.transfers LIMIT 1"
        ).fetchone()
    assert statement is not None
    assert transfer is not None
    return {
        "order_id": str(order),
        "customer_id": customer,
        "product_id": product,
        "account_id": str(statement[0]),
        "position": str(statement[1]),
        "transfer_id": str(transfer[0]),
        "command_id": str(noted["id"]),
        "name": "invalid-input",
    }


@pytest.fixture(scope="module")
def app(desk: RunningShop) -> Flask:
    return create_app(desk.shop)


FOUND = Survey()


@pytest.fixture
def survey(
    app: Flask, names: dict[str, str], browsers: Browsers, desk: RunningShop
) -> Survey:
    """Look at all pages as an admin, who may open them all, once for all tests."""
    if not FOUND.statuses:
        page = browsers.of("ines")
        for path in addresses(app, names):
            FOUND.look_at(page, path)
    return FOUND


def test_every_page_answers(survey: Survey) -> None:
    assert {p: s for p, s in survey.statuses.items() if s != 200} == {}


def test_axe_finds_nothing_on_any_page_in_light_and_dark(survey: Survey) -> None:
    assert not wrong(survey.axe), wrong(survey.axe)


def test_no_page_scrolls_sideways_at_390_pixels(survey: Survey) -> None:
    """Names of 200 letters are on them."""
    assert wrong(survey.phone) == ""


def test_no_page_scrolls_sideways_at_200_percent(survey: Survey) -> None:
    assert wrong(survey.zoomed) == ""


@pytest.mark.parametrize("path", ["/login", "/orders/1", "/problems/not-found"])
def test_axe_finds_nothing_before_the_login(path: str, browsers: Browsers) -> None:
    page = browsers.new().new_page()
    found = Survey()
    found.look_at(page, path)

    assert wrong(found.axe) == ""
    assert wrong(found.phone) == ""
