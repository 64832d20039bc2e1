"""Two people change one order at the same time."""

from playwright.sync_api import expect

from tests.support.browsing import Browsers, expect_done, see_order
from tests.support.chores import Measure
from tests.support.running_shop import RunningShop


def test_the_address_of_one_and_the_payment_of_another_do_not_meet(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order()
    desk.settle()
    first = browsers.of("bea", f"/orders/{order_id}")
    second = browsers.of("sara", f"/orders/{order_id}/address")
    first.get_by_role("button", name="Note the payment").press("Enter")
    expect_done(first)
    with chore("change the address of an order that is paid", second, loads=2):
        second.get_by_label("Street and number").fill("Oudegracht 12")
        second.keyboard.press("Enter")
        see_order(second)

    expect(second.locator(".facts").first).to_contain_text("Oudegracht 12")


def test_two_people_change_one_line_and_see_both(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order(("Reading lamp", 1, 8_000), ("Bulb", 2, 500))
    desk.settle()
    lines = f"/orders/{order_id}/lines"
    first, second = browsers.of("ines", lines), browsers.of("sara", lines)
    first.get_by_label("Quantity").first.fill("3")
    first.get_by_label("Quantity").last.fill("6")
    first.get_by_role("button", name="Change the lines").press("Enter")
    expect_done(first)
    with chore("two people change a line", second, loads=3):
        second.get_by_label("Quantity").first.fill("2")
        second.get_by_role("button", name="Change the lines").press("Enter")
        told = second.get_by_role("alert")
        expect(told).to_contain_text("by ines")
        row = told.get_by_role("row", name="Line 1, quantity")
        expect(row.get_by_role("cell")).to_have_text(["1", "3", "2"])
        # The other line is as the first one left it.
        expect(second.get_by_label("Quantity").last).to_have_value("6")
        second.get_by_role("button", name="Change the lines").press("Enter")
        expect(second.get_by_role("heading", level=1)).to_contain_text("changed")
        see_order(second)

    expect(second.locator(".facts").first).to_contain_text("Total190.00 EUR")
