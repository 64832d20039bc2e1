"""Orders, customers and products are found by what one remembers of them."""

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import Browsers
from tests.support.chores import Measure


def find(page: Page, typed: str) -> None:
    """Type into the field that every page has, by the key that leads to it."""
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Find")).to_be_focused()
    page.keyboard.type(typed)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(typed)


@pytest.mark.parametrize(
    ("by", "typed", "part", "found"),
    [
        ("an order by its number", "17", "Orders", "17"),
        ("orders by a name with a typo", "Lindqist", "Orders", "Åsa Lindqvist-Öberg"),
        ("orders by a name without accents", "nunez", "Orders", "Librería Núñez"),
        ("orders by a Japanese name", "佐藤", "Orders", "佐藤 遥"),
        ("orders by a city", "Portland", "Orders", "Harper & Finch Stationers"),
        ("orders by a product", "blotter", "Orders", "Desk blotter"),
        ("a customer by digits of the phone", "5550148", "Customers", "Harper & Finch"),
        ("a customer by the e-mail", "haruka@", "Customers", "佐藤 遥"),
        ("a product", "sealing wax", "Products", "Sealing wax, crimson"),
    ],
)
def test_what_is_meant_is_found_first(
    by: str, typed: str, part: str, found: str, browsers: Browsers, chore: Measure
) -> None:
    page = browsers.of("sara", "/")
    with chore(f"find {by}", page, loads=1):
        find(page, typed)
        rows = page.get_by_role("region", name=part).get_by_role("listitem")
        # Above it may stand that it is only like what was typed.
        is_row = page.get_by_role("link")
        expect(rows.filter(has=is_row).first).to_contain_text(found)


def test_a_search_leads_on_to_the_whole_list(
    browsers: Browsers, chore: Measure
) -> None:
    page = browsers.of("sara", "/search?q=Portland")
    with chore("from what was found to all that match", page, loads=1):
        page.get_by_role("link", name="All orders that match").press("Enter")
        expect(page.get_by_text("in which “Portland” was found")).to_be_visible()


def test_one_key_leads_to_the_field_that_finds_everything(
    browsers: Browsers, chore: Measure
) -> None:
    page = browsers.of("sara", "/products")
    with chore("find by the keyboard, from anywhere", page, loads=1):
        page.keyboard.press("/")
        page.keyboard.type("nunez")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Customers")).to_be_visible()
    expect(page.get_by_role("link", name="Librería Núñez e Hijas")).to_be_visible()
    # In a field it is a letter like others.
    field = page.get_by_label("Find orders, customers and products")
    field.fill("1")
    field.press("/")
    expect(field).to_have_value("1/")
