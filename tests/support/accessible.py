"""Whether everybody can use a page: axe's findings, and what does not fit its width."""

from collections.abc import Sequence
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

Scheme = Literal["light", "dark"]
BOTH: Sequence[Scheme] = ("light", "dark")
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = "options => axe.run(options).then(results => results.violations)"
OPTIONS = {"resultTypes": ["violations"], "runOnly": STANDARDS}

WIDE = """
() => {
  const width = innerWidth;
  const page = document.scrollingElement.scrollWidth;
  if (page <= width) return [];
  const wide = [...document.querySelectorAll("body *")].filter(
    // Its text may be wider than its box.
    (e) => e.getBoundingClientRect().left + e.scrollWidth > width + 1 &&
      !e.closest(".scrolls"));
  return [`${page} pixels of ${width}`, ...wide.slice(-3).map(
    (e) => `${e.tagName} ${e.className} ${e.textContent.trim().slice(0, 40)}`)];
}
"""
"""Names what is wider than the window, of a page that scrolls sideways."""


def findings(page: Page, *, schemes: Sequence[Scheme] = BOTH) -> list[str]:
    """Return what axe finds on *page*, in each colour scheme."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    found = []
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        violations: list[Any] = page.evaluate(RUN, OPTIONS)
        found += [
            f"{scheme}: {violation['id']}: {violation['help']}: {node['html'][:160]}"
            for violation in violations
            for node in violation["nodes"]
        ]
    return found


def too_wide(page: Page) -> list[str]:
    """Return what makes *page* scroll sideways."""
    found: list[str] = page.evaluate(WIDE)
    return found
