"""Somebody calls who is no customer yet, and orders: one form, one press for both."""

from playwright.sync_api import Page, expect

from tests.support.browsing import Browsers, expect_done, see_order
from tests.support.chores import Measure


def type_order(page: Page, name: str) -> None:
    page.get_by_label("Customer", exact=True).fill(name)
    page.get_by_label("Product", exact=True).first.fill("CASE-3")
    page.get_by_label("Quantity").first.fill("2")
    page.get_by_role("button", name="A new customer").press("Enter")
    expect(page.get_by_label("Name")).to_have_value(name)
    page.get_by_label("Phone").fill("030 5550101")
    page.get_by_label("Street and number").fill("Lijnmarkt 84")
    page.get_by_label("City").fill("Utrecht")
    page.get_by_label("Country").fill("Netherlands")


def test_a_new_customer_is_registered_with_the_order(
    browsers: Browsers, chore: Measure
) -> None:
    page = browsers.of("sara", "/orders/new")
    with chore("a new customer by phone", page, loads=2):
        type_order(page, "Noor de Wit")
        page.get_by_role("button", name="Register and place").dblclick()
        expect_done(page)
        expect(page.locator("#fate")).to_contain_text("is registered")
    page.get_by_role("link", name="Customers").click()
    expect(page.get_by_role("rowheader", name="Noor de Wit")).to_have_count(1)


def test_back_after_it_ends_at_the_form(browsers: Browsers) -> None:
    page = browsers.of("sara", "/orders/new/first")
    page.get_by_label("Name").fill("川端 康成 (Kawabata Yasunari)")
    page.get_by_label("Product", exact=True).first.fill("CASE-3")
    page.get_by_label("Quantity").first.fill("1")
    page.get_by_label("Street and number").fill("Lijnmarkt 84")
    page.get_by_label("City").fill("Utrecht")
    page.get_by_label("Country").fill("Netherlands")
    page.get_by_role("button", name="Register and place").press("Enter")
    see_order(page)
    expect(page.locator(".facts").first).to_contain_text(
        "川端 康成 (Kawabata Yasunari)"
    )

    page.go_back()
    expect_done(page)
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_contain_text("a new customer")


def test_a_new_customer_is_registered_without_javascript(browsers: Browsers) -> None:
    page = browsers.of("sara", "/orders/new", java_script_enabled=False)
    type_order(page, "Kees Zonder")
    page.get_by_role("button", name="Register and place").press("Enter")

    # The page asks for itself again until the order is placed, too.
    page.get_by_role("button", name="See order").press("Enter")
    expect(page.locator(".facts").first).to_contain_text("Kees Zonder")
