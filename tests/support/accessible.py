"""Whether everybody can use a page: axe's findings, and what does not fit its width."""

from collections.abc import Iterator
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {"resultTypes": ["violations"], "runOnly": STANDARDS}

WIDE = """
() => {
  const width = innerWidth;
  const page = document.scrollingElement.scrollWidth;
  if (page <= width) return [];
  const wide = [...document.querySelectorAll("body *")].filter(
    (e) => e.getBoundingClientRect().right > width + 1 && !e.closest(".scrolls"));
  return [`${page} pixels of ${width}`, ...wide.slice(0, 3).map(
    (e) => `${e.tagName} ${e.className} ${e.textContent.trim().slice(0, 40)}`)];
}
"""
"""Names what is wider than the window, of a page that scrolls sideways."""


def findings(page: Page) -> list[str]:
    """Return what axe finds on *page*, in light and in dark."""
    return [f"{scheme}: {f}" for scheme in SCHEMES for f in findings_in(page, scheme)]


def findings_in(page: Page, scheme: Literal["light", "dark"]) -> Iterator[str]:
    page.emulate_media(color_scheme=scheme)
    for violation in Axe().run(page, options=OPTIONS).response["violations"]:
        for node in violation["nodes"]:
            yield f"{violation['id']}: {violation['help']}: {node['html'][:160]}"


def too_wide(page: Page) -> list[str]:
    """Return what makes *page* scroll sideways."""
    found: list[str] = page.evaluate(WIDE)
    return found
