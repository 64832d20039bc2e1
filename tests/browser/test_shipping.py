"""What the warehouse does: parcels, slips, and ten orders at once."""

import re

from playwright.sync_api import expect

from tests.support.browsing import Browsers, see_order
from tests.support.chores import Measure
from tests.support.running_shop import RunningShop


def test_ten_orders_are_shipped_at_once_and_one_page_follows_them(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    orders = [desk.order(terms=30, customer="30") for _ in range(10)]
    desk.settle()
    page = browsers.of("wim", "/orders?customer=30")
    with chore("ship ten orders", page, loads=2):
        for order_id in orders:
            page.get_by_label(f"Tick order {order_id}").press("Space")
        page.get_by_label("With those that are ticked").select_option("ship them")
        page.get_by_role("button", name="Go on").press("Enter")
        for order_id in orders:
            page.get_by_label(f"of order {order_id}").fill(f"1Z-{order_id}")
        page.get_by_role("button", name="It is shipped").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "All of them are done with"
        )
        expect(
            page.get_by_role("cell").filter(has_text=re.compile("Done"))
        ).to_have_count(10)

    page.get_by_role("button", name="All orders").press("Enter")
    for order_id in orders:
        expect(page.get_by_text(f"1Z-{order_id}")).to_be_visible()


def test_of_many_orders_the_one_that_was_refused_says_why(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    free, taken = desk.order(customer="29"), desk.order(customer="29")
    desk.settle()
    page = browsers.of("bea", f"/orders/many?action=payment&order={free}&order={taken}")
    desk.do("ReceivePayment", order_id=taken, amount=8_000)
    with chore("two payments, of which one was noted meanwhile", page, loads=1):
        page.get_by_role("button", name="Note the payment").press("Enter")
        expect(
            page.get_by_role("cell").filter(has_text=re.compile("Done"))
        ).to_have_count(1)
        expect(page.get_by_role("cell").filter(has_text="Somebody else")).to_have_count(
            1
        )


def test_a_parcel_has_some_of_the_lines(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order(("Reading lamp", 1, 8_000), ("Bulb", 6, 500), terms=14)
    desk.settle()
    page = browsers.of("wim", f"/orders/{order_id}")
    with chore("a parcel for some lines", page, loads=3):
        page.get_by_role("link", name="Ship a part of it").press("Enter")
        page.get_by_label("Reading lamp").fill("")
        page.get_by_label("Bulb").fill("4")
        page.get_by_label("Tracking number").fill("1Z-BULBS")
        page.keyboard.press("Enter")
        see_order(page)

    expect(page.locator(".receipt").first).to_contain_text("4 shipped")
    expect(page.locator(".history")).to_contain_text(
        "4 pieces, tracking number 1Z-BULBS"
    )


def test_a_packing_slip_is_printed(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order(("Reading lamp", 3, 8_000))
    desk.settle()
    page = browsers.of("wim", f"/orders/{order_id}")
    with chore("print a packing slip", page, loads=1):
        page.get_by_role("link", name="Packing slip").press("Enter")
        expect(page.get_by_role("cell", name="Reading lamp")).to_be_visible()

    page.emulate_media(media="print")
    expect(page.get_by_text("Print it with your browser")).to_be_hidden()
    expect(page.get_by_text("80.00")).to_have_count(0)


def test_packing_slips_of_many_orders_are_one_print(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    page = browsers.of("wim", "/orders?sort=order")
    with chore("print three packing slips", page, loads=1):
        for order_id in (1, 2, 3):
            page.get_by_label(f"Tick order {order_id}", exact=True).press("Space")
        page.get_by_label("With those that are ticked").select_option(
            "print packing slips"
        )
        page.get_by_role("button", name="Go on").press("Enter")
        expect(page.get_by_role("table")).to_have_count(3)


def test_a_delivery_is_noted(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order(terms=14)
    desk.do("ShipOrder", order_id=order_id, tracking_no="1Z-D")
    desk.settle()
    page = browsers.of("wim", f"/orders/{order_id}")
    with chore("note a delivery", page, loads=2):
        page.get_by_role("button", name="It has arrived").press("Enter")
        see_order(page)

    expect(page.get_by_role("heading", level=1)).to_contain_text("delivered")
