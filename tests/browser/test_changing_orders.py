"""What was wrong in an order is put right, while it can be."""

from playwright.sync_api import expect

from tests.support.browsing import Browsers, see_order
from tests.support.chores import Measure
from tests.support.running_shop import RunningShop


def test_a_line_is_changed(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order(("Reading lamp", 1, 8_000), ("Bulb", 2, 500))
    desk.settle()
    page = browsers.of("sara", f"/orders/{order_id}")
    with chore("change a line", page, loads=3):
        page.get_by_role("link", name="Change its lines").press("Enter")
        page.get_by_label("Quantity").first.fill("3")
        expect(page.locator("[data-sum]")).to_contain_text("250.00")
        page.get_by_role("button", name="Change the lines").press("Enter")
        see_order(page)

    expect(page.locator(".facts").first).to_contain_text("Total250.00 EUR")
    expect(
        page.get_by_role("listitem").filter(has_text="Order placed")
    ).to_contain_text("2 lines, 90.00 EUR")


def test_the_product_of_a_line_that_was_added_is_typed_at_once(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order(("Reading lamp", 1, 8_000), customer="5")
    desk.settle()
    page = browsers.of("sara", f"/orders/{order_id}/lines")
    with chore("add a line to an order", page, loads=3):
        page.get_by_role("button", name="Add a line").press("Enter")
        expect(page.get_by_label("Product", exact=True)).to_be_focused()
        page.keyboard.type("ENV-C6")
        page.get_by_label("Quantity").last.fill("1")
        expect(page.locator("[data-sum]")).to_contain_text("89.75")
        page.keyboard.press("Tab")
        page.get_by_role("button", name="Change the lines").press("Enter")
        see_order(page)

    expect(page.locator(".facts").first).to_contain_text("Total89.75 EUR")


def test_an_address_is_changed(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order()
    desk.settle()
    page = browsers.of("sara", f"/orders/{order_id}")
    with chore("change an address", page, loads=3):
        page.get_by_role("link", name="Send it elsewhere").press("Enter")
        page.get_by_label("Street and number").fill("Oudegracht 12")
        page.keyboard.press("Enter")
        see_order(page)

    expect(page.locator(".facts").first).to_contain_text("Oudegracht 12")


def test_a_tracking_number_is_corrected(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order()
    desk.do("ReceivePayment", order_id=order_id, amount=8_000)
    desk.do("ShipOrder", order_id=order_id, tracking_no="1Z-WRNOG")
    desk.settle()
    page = browsers.of("wim", f"/orders/{order_id}")
    with chore("correct a tracking number", page, loads=3):
        page.get_by_role("link", name="Correct a tracking number").press("Enter")
        page.get_by_label("Tracking number").fill("1Z-RIGHT")
        page.keyboard.press("Enter")
        see_order(page)

    expect(page.locator(".facts").first).to_contain_text("1Z-RIGHT")


def test_a_note_is_added(browsers: Browsers, desk: RunningShop, chore: Measure) -> None:
    order_id = desk.order()
    desk.settle()
    page = browsers.of("sara", f"/orders/{order_id}")
    with chore("add a note", page, loads=3):
        page.get_by_role("link", name="Add a note").press("Enter")
        page.get_by_label("Note").fill("Call before it is sent.\nAsk for Iris.")
        page.get_by_role("button", name="Add the note").press("Enter")
        see_order(page)

    expect(page.locator(".notes")).to_contain_text("Ask for Iris.")
    expect(page.locator(".notes")).to_contain_text("by sara")


def test_an_order_is_copied(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order(("Reading lamp", 2, 8_000))
    desk.settle()
    page = browsers.of("sara", f"/orders/{order_id}")
    with chore("copy an order", page, loads=3):
        page.get_by_role("link", name="Copy this order").press("Enter")
        expect(page.locator("[data-sum]")).to_contain_text("160.00")
        page.get_by_role("button", name="Place the order").press("Enter")
        see_order(page)

    expect(page.locator(".facts").first).to_contain_text("Total160.00 EUR")


def test_an_order_is_cancelled_and_the_reason_stays(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order()
    desk.settle()
    page = browsers.of("sara", f"/orders/{order_id}")
    with chore("cancel an order", page, loads=2):
        page.get_by_text("Cancel this order").first.click()
        page.get_by_label("Reason").fill("Bought it elsewhere.")
        page.get_by_role("button", name="Cancel this order").press("Enter")
        see_order(page)

    expect(page.get_by_role("heading", level=1)).to_contain_text("cancelled")
    expect(page.locator(".history")).to_contain_text("Bought it elsewhere.")
