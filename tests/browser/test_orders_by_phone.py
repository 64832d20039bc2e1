"""An order is taken on the phone, by keyboard, while somebody speaks."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import Browsers, expect_done, number_in, see_order
from tests.support.chores import Measure
from tests.support.running_shop import RunningShop

EIGHT = (
    ("Sealing wax, crimson, three sticks", "2"),
    ("INK-SEPIA", "3"),
    ("Notebook A5, dotted, 160 pages", "10"),
    ("CASE-3", "1"),
    ("PENCIL-6", "4"),
    ("Cotton writing paper, ivory, 100 sheets", "1"),
    ("ENV-C6", "2"),
    ("BLOT-PAD", "1"),
)
SUMS = ("17.80", "64.30", "249.30", "302.80", "347.60", "369.00", "388.50", "423.10")
"""Of the first so many lines of the eight, by the price list of the demo."""


def type_lines(page: Page) -> None:
    """Type eight lines, by no more than the keyboard; each shows its sum."""
    keyboard = page.keyboard
    page.get_by_label("Product", exact=True).first.focus()
    for (product, quantity), total in zip(EIGHT, SUMS, strict=True):
        keyboard.type(product)
        keyboard.press("Tab")
        keyboard.press("Tab")
        keyboard.type(quantity)
        expect(page.locator("[data-sum]")).to_contain_text(total)
        if total != SUMS[-1]:
            keyboard.press("Enter")


def type_address(page: Page) -> None:
    page.get_by_label("Street and number").fill("Lijnmarkt 84")
    page.get_by_label("City").fill("Utrecht")
    page.get_by_label("Country").fill("Netherlands")


def test_eight_lines_take_one_page_load_to_send(
    browsers: Browsers, chore: Measure
) -> None:
    """Customer and products by their names, the sum while one types."""
    page = browsers.of("sara", "/orders/new")
    with chore("eight lines by phone", page, loads=1):
        page.get_by_label("Customer", exact=True).focus()
        page.keyboard.type("Iris van der Meulen")
        type_lines(page)
        page.get_by_role("button", name="Fill in the customer's address").press("Enter")
        expect(page.get_by_label("Street and number")).to_be_focused()
        page.keyboard.press("Enter")
        expect_done(page)
        # What the customer on the phone is told.
        expect(page.locator(".facts").first).to_contain_text("Total423.10 EUR")
        expect(page.locator(".facts").first).to_contain_text("Iris van der Meulen")


def test_the_address_of_a_customer_is_filled_in_without_a_page_load(
    browsers: Browsers, chore: Measure
) -> None:
    page = browsers.of("sara", "/orders/new")
    with chore("fill in the customer's address", page, loads=0):
        page.get_by_label("Customer", exact=True).fill("Harper & Finch Stationers")
        page.get_by_label("Quantity").first.fill("7")
        page.get_by_role("button", name="Fill in the customer's address").press("Enter")
        expect(page.get_by_label("City")).to_have_value("Portland")

    expect(page.get_by_label("Quantity").first).to_have_value("7")


def test_an_address_that_nobody_knows_is_said_on_a_page(
    browsers: Browsers, chore: Measure
) -> None:
    page = browsers.of("sara", "/orders/new")
    with chore("an address that nobody knows", page, loads=1):
        page.get_by_label("Customer", exact=True).fill("Nobody at all")
        page.get_by_role("button", name="Fill in the customer's address").press("Enter")
        expect(page.locator("main .told")).to_be_visible()

    expect(page.get_by_label("Customer", exact=True)).to_have_value("Nobody at all")


def test_a_line_that_is_not_clear_leaves_the_form_as_it_was_typed(
    browsers: Browsers, chore: Measure
) -> None:
    page = browsers.of("sara", "/orders/new")
    with chore("a product that nobody knows", page, loads=1):
        page.get_by_label("Customer", exact=True).fill("12")
        page.get_by_label("Product", exact=True).first.fill("Quill of a goose")
        page.get_by_label("Quantity").first.fill("2")
        type_address(page)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("Nothing was sent yet")
    expect(page.get_by_label("Product", exact=True).first).to_have_value(
        "Quill of a goose"
    )
    expect(page.get_by_label("City")).to_have_value("Utrecht")


def test_an_order_can_be_tried_without_being_sent(
    browsers: Browsers, chore: Measure
) -> None:
    page = browsers.of("sara", "/orders/new?customer=12")
    with chore("try an order", page, loads=1):
        page.get_by_label("Product", exact=True).first.fill("CASE-3")
        page.get_by_label("Quantity").first.fill("2")
        type_address(page)
        page.get_by_role("button", name="Try it").press("Enter")
        expect(page.locator(".tried")).to_contain_text("Order placed: 1 line, 107.00")
        expect(page.locator(".tried")).to_contain_text("Nothing was sent.")


def test_a_double_click_places_one_order(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    page = browsers.of("sara", "/orders/new?customer=12")
    before = orders_in(desk)
    with chore("a double click", page, loads=2):
        page.get_by_label("Product", exact=True).first.fill("ENV-C6")
        page.get_by_label("Quantity").first.fill("1")
        type_address(page)
        page.get_by_role("button", name="Place the order").dblclick()
        see_order(page)

    assert orders_in(desk) == before + 1


def orders_in(desk: RunningShop) -> int:
    """Return how many orders were ever placed."""
    with desk.shop.lent() as connection:
        query = "SELECT count(*) FROM events WHERE type = 'OrderCreated'"
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("name", ["長" * 200, "W" * 200])
def test_names_of_two_hundred_letters_fit(
    name: str, browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    customer = desk.do("RegisterCustomer", name=name)
    order_id = desk.order((name, 1, 100), customer=customer)
    desk.settle()
    page = browsers.of("sara", f"/orders/{order_id}", viewport=PHONE)
    with chore(f"a name of 200 letters, {name[0]}", page, loads=0):
        expect(page.get_by_role("cell", name=re.compile(name[:20]))).to_be_visible()

    assert number_in(page) == order_id


PHONE = {"width": 390, "height": 844}
