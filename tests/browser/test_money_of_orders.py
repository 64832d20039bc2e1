"""The money of an order adds up for the bookkeeper at every step."""

from playwright.sync_api import Page, expect

from tests.support.browsing import Browsers, see_order
from tests.support.chores import Measure
from tests.support.running_shop import RunningShop


def facts(page: Page) -> str:
    return page.locator(".facts").first.inner_text()


def test_a_payment_comes_in_parts(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order()
    desk.settle()
    page = browsers.of("bea", f"/orders/{order_id}")
    with chore("note a part payment", page, loads=2):
        page.get_by_label("Amount").fill("30")
        page.keyboard.press("Enter")
        see_order(page)

    expect(page.locator(".facts").first).to_contain_text("Due50.00 EUR")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Note the payment").press("Enter")
    see_order(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("paid")


def test_too_much_is_refused_with_the_figures(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order()
    desk.settle()
    page = browsers.of("bea", f"/orders/{order_id}")
    with chore("a payment that is too high", page, loads=1):
        page.get_by_label("Amount").fill("90")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("80.00 EUR")

    expect(page.get_by_label("Amount")).to_have_value("90.00")


def test_freight_is_part_of_what_is_due(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order()
    desk.settle()
    page = browsers.of("sara", f"/orders/{order_id}/lines")
    with chore("add freight to an order", page, loads=2):
        page.get_by_label("Freight").fill("12.50")
        page.keyboard.press("Enter")
        see_order(page)

    expect(page.locator(".facts").first).to_contain_text("Due92.50 EUR")


def test_an_order_with_days_to_pay_is_paid_after_it_was_shipped(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order(terms=14)
    desk.do("ShipOrder", order_id=order_id, tracking_no="1Z-14")
    desk.settle()
    page = browsers.of("bea", f"/orders/{order_id}")
    with chore("a payment after shipping", page, loads=2):
        page.get_by_role("button", name="Note the payment").press("Enter")
        see_order(page)

    assert "Due" not in facts(page)


def test_a_payment_that_was_a_mistake_is_taken_back(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order()
    desk.do("ReceivePayment", order_id=order_id, amount=8_000)
    desk.settle()
    page = browsers.of("bea", f"/orders/{order_id}")
    with chore("void a payment", page, loads=3):
        page.get_by_role("link", name="Take a payment back").press("Enter")
        page.get_by_role("button", name="Take the payment back").press("Enter")
        see_order(page)

    expect(page.locator(".facts").first).to_contain_text("Due80.00 EUR")


def test_two_lines_come_back_and_are_refunded(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order(
        ("Reading lamp", 1, 8_000), ("Bulb", 2, 500), ("Shade", 1, 2_500)
    )
    desk.do("ReceivePayment", order_id=order_id, amount=11_500)
    desk.do("ShipOrder", order_id=order_id, tracking_no="1Z-3")
    desk.settle()
    page = browsers.of("wim", f"/orders/{order_id}")
    with chore("return two lines", page, loads=3):
        page.get_by_role("link", name="Something came back").press("Enter")
        page.get_by_label("Bulb").fill("2")
        page.get_by_label("Shade").fill("1")
        page.keyboard.press("Enter")
        see_order(page)
    expect(page.locator(".facts").first).to_contain_text("To refund35.00 EUR")

    page = browsers.of("bea", f"/orders/{order_id}")
    with chore("refund after a return", page, loads=2):
        page.get_by_role("button", name="Refund this").press("Enter")
        see_order(page)
    assert "To refund" not in facts(page)
