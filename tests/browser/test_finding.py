"""Orders and customers are found by what one remembers of them."""

from playwright.sync_api import expect

from tests.support.browsing import Browsers
from tests.support.chores import Measure


def test_an_order_is_found_by_its_number(browsers: Browsers, chore: Measure) -> None:
    page = browsers.of("sara")
    with chore("find an order by its number", page, loads=1):
        page.get_by_label("Search").fill("17")
        page.keyboard.press("Enter")
        first = page.get_by_role("row").nth(1)
        expect(first.get_by_role("rowheader")).to_have_text("17")
