"""The browsers of people in tests: new ones, and those of who is logged in."""

import re
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.logged_in import PASSWORD
from tests.support.watched_pages import FaultWatch

PATIENCE = 15_000
"""Milliseconds to wait for a condition; most take a few hundred."""


@dataclass(slots=True)
class Browsers:
    """
    Browsers of one test, on the shop at *address*; none knows of another's cookies.

    *sessions* has the cookies of who has logged in before, in any test.
    """

    chromium: Browser
    address: str
    sessions: dict[tuple[str, str], Any]
    watched: FaultWatch = field(default_factory=FaultWatch)
    opened: list[BrowserContext] = field(default_factory=list)

    def new(self, **options: Any) -> BrowserContext:
        """Open a browser that nobody has used, with *options* of Playwright's."""
        options = {"viewport": {"width": 1280, "height": 900}, **options}
        context = self.chromium.new_context(
            base_url=self.address, reduced_motion="reduce", **options
        )
        context.set_default_timeout(PATIENCE)
        self.watched.watch(context)
        self.opened.append(context)
        return context

    def of(self, name: str, path: str = "/orders", **options: Any) -> Page:
        """Open a page of the shop in a browser where *name* is logged in."""
        session = self.address, name
        page = self.new(storage_state=self.sessions.get(session), **options).new_page()
        if session not in self.sessions:
            log_in(page, name)
            self.sessions[session] = page.context.storage_state()
        page.goto(path)
        return page

    def close(self) -> None:
        for context in self.opened:
            context.close()


def log_in(page: Page, name: str) -> None:
    """Log in as people do, by the page."""
    page.goto("/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Sign out").wait_for()


def expect_done(page: Page) -> None:
    """Wait on the page that follows a command until it has succeeded."""
    expect(page.locator("#fate")).to_contain_text("It caused")


def see_order(page: Page) -> None:
    """Wait until a command has succeeded, and see what it made of the order."""
    expect_done(page)
    page.get_by_role("button", name=re.compile("^See order")).press("Enter")
    expect(page.get_by_role("heading", name="History")).to_be_visible()


def number_in(page: Page) -> int:
    """Return the number of the order that *page* is about."""
    found = re.search(r"[Oo]rder (\d+)", page.title())
    assert found, page.title()
    return int(found[1])
