"""Orders and customers are found by what one remembers of them."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import Browsers
from tests.support.chores import Measure


def search(page: Page, typed: str) -> None:
    page.get_by_label("Search").fill(typed)
    page.keyboard.press("Enter")


def test_an_exact_number_comes_first(browsers: Browsers, chore: Measure) -> None:
    page = browsers.of("sara")
    with chore("find an order by its number", page, loads=1):
        search(page, "17")
        first = page.get_by_role("row").nth(1)
        expect(first.get_by_role("rowheader")).to_have_text("17")


@pytest.mark.parametrize(
    ("by", "typed", "found"),
    [
        ("a name with a typo", "Lindqist", "Åsa Lindqvist-Öberg"),
        ("a name without its accents", "nunez", "Librería Núñez e Hijas"),
        ("a Japanese name", "佐藤", "Satō Haruka (佐藤 遥)"),
        ("a city", "Portland", "Harper & Finch Stationers"),
    ],
)
def test_orders_are_found_by_whose_they_are(
    by: str, typed: str, found: str, browsers: Browsers, chore: Measure
) -> None:
    page = browsers.of("sara")
    with chore(f"find orders by {by}", page, loads=1):
        search(page, typed)
        # Above it may stand that it is only like what was typed.
        rows = page.get_by_role("row").filter(has=page.get_by_role("rowheader"))
        expect(rows.first).to_contain_text(found)


def test_orders_are_found_by_what_was_ordered(
    browsers: Browsers, chore: Measure
) -> None:
    page = browsers.of("sara")
    with chore("find orders by a product", page, loads=1):
        search(page, "blotter")
        expect(page.get_by_role("row").nth(1)).to_contain_text("Desk blotter")


def test_a_customer_is_found_by_digits_of_the_phone(
    browsers: Browsers, chore: Measure
) -> None:
    """However the digits are grouped."""
    page = browsers.of("sara", "/customers")
    with chore("find a customer by digits of the phone", page, loads=1):
        search(page, "5550148")
        expect(page.get_by_role("row")).to_have_count(2)
