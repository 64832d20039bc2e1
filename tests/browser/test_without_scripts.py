"""Without JavaScript everything can be done, by a page load more here and there."""

from playwright.sync_api import expect

from tests.support.browsing import Browsers
from tests.support.chores import Measure


def test_an_order_is_placed_and_shipped_without_javascript(
    browsers: Browsers, chore: Measure
) -> None:
    page = browsers.of("ines", "/orders/new", java_script_enabled=False)
    # Its page loads are told by no script: axe cannot look at these pages either.
    page.get_by_label("Customer", exact=True).fill("Iris van der Meulen")
    page.get_by_label("Product", exact=True).first.fill("CASE-3")
    page.get_by_label("Quantity").first.fill("2")
    page.get_by_label("Days to pay").fill("14")
    page.get_by_role("button", name="Fill in the customer's address").press("Enter")
    expect(page.get_by_label("City")).to_have_value("Utrecht")
    page.get_by_role("button", name="Check").press("Enter")
    expect(page.locator("[data-sum]")).to_contain_text("107.00")
    page.get_by_role("button", name="Place the order").press("Enter")

    # The page asks for itself again until it is done.
    page.get_by_role("button", name="See order").press("Enter")
    expect(page.locator(".facts").first).to_contain_text("Total107.00 EUR")
    page.get_by_label("Tracking number").fill("1Z-PLAIN")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="See order").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("shipped")
    expect(page.locator(".facts").first).to_contain_text("1Z-PLAIN")
