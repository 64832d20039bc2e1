"""Lists at phone width: a card for each row, of two or three lines."""

import pytest
from playwright.sync_api import Page

from tests.support.accessible import findings, too_wide
from tests.support.browsing import Browsers

PHONE = {"width": 390, "height": 844}
MAX_HEIGHT = 6_000
"""Of a page of fifty orders, in pixels; as rows of label and value it had 15,000."""
LISTS = ("/orders", "/customers", "/products", "/accounts", "/transfers", "/sales")

UNLABELLED = """
() => [...document.querySelectorAll(".rows tbody [role]:not([role=row])")]
  .filter((cell) => !cell.dataset.label && !cell.classList.contains("tick"))
  .map((cell) => cell.outerHTML.slice(0, 80))
"""


def on_phone(browsers: Browsers, path: str) -> Page:
    return browsers.of("ines", path, viewport=PHONE)


def test_fifty_orders_are_no_page_of_twelve_thousand_pixels(browsers: Browsers) -> None:
    page = on_phone(browsers, "/orders")

    assert page.get_by_role("rowheader").count() == 50
    assert page.evaluate("document.documentElement.scrollHeight") < MAX_HEIGHT


@pytest.mark.parametrize("path", LISTS)
def test_a_card_can_be_read_by_everybody_and_is_no_wider_than_the_phone(
    browsers: Browsers, path: str
) -> None:
    page = on_phone(browsers, path)

    assert page.get_by_role("columnheader").count()
    assert page.evaluate(UNLABELLED) == []
    assert too_wide(page) == []
    assert findings(page) == []
