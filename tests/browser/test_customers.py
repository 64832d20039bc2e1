"""Customers are changed by several people, and forgotten when they ask for it."""

from playwright.sync_api import expect

from tests.support.browsing import Browsers, expect_done
from tests.support.chores import Measure
from tests.support.running_shop import RunningShop


def test_what_is_open_is_asked_back_before_somebody_is_forgotten(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    customer = desk.do("RegisterCustomer", name="Ludwig Vergiss")
    desk.order(customer=customer)
    desk.settle()
    page = browsers.of("ines", f"/customers/{customer}")
    with chore("forget somebody with open business", page, loads=3):
        page.get_by_role("button", name="Forget").press("Enter")
        expect(page.locator(".part")).to_contain_text("It stays open")
        page.get_by_role("button", name="Forget this customer for ever").press("Enter")
        page.get_by_role("checkbox").press("Space")
        page.get_by_role("button", name="Forget this customer for ever").press("Enter")
        expect_done(page)

    page.get_by_role("button", name="All customers").press("Enter")
    expect(page.get_by_role("rowheader", name="Ludwig Vergiss")).to_have_count(0)


def test_two_people_change_one_customer_and_nothing_is_lost(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    """Of two fields both changes stand; the second one is told of the first."""
    customer = desk.do("RegisterCustomer", name="Vera Zwei", phone="030 1")
    desk.settle()
    edit = f"/customers/{customer}/edit"
    first, second = browsers.of("sara", edit), browsers.of("ines", edit)
    first.get_by_label("Phone").fill("030 22222")
    first.keyboard.press("Enter")
    expect_done(first)
    with chore("two people change a customer", second, loads=3):
        second.get_by_label("E-mail").fill("vera@example.com")
        second.keyboard.press("Enter")
        told = second.get_by_role("alert")
        expect(told).to_contain_text("Somebody else has changed it meanwhile.")
        expect(told).to_contain_text("to “030 22222”, by sara")
        expect(second.get_by_label("Phone")).to_have_value("030 22222")
        second.get_by_role("button", name="Save the details").press("Enter")
        expect(second.get_by_role("heading", level=1)).to_contain_text("changed")
        second.get_by_role("button", name="See the customer").press("Enter")
        expect(second.locator(".facts")).to_contain_text("vera@example.com")

    expect(second.locator(".facts")).to_contain_text("030 22222")


def test_two_people_pay_one_order_and_it_is_paid_once(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order()
    desk.settle()
    page = f"/orders/{order_id}"
    first, second = browsers.of("bea", page), browsers.of("ines", page)
    first.get_by_role("button", name="Note the payment").press("Enter")
    expect_done(first)
    with chore("two people pay one order", second, loads=1):
        second.get_by_role("button", name="Note the payment").press("Enter")
        told = second.get_by_role("alert")
        expect(told).to_contain_text("Somebody else has changed it meanwhile.")
        expect(told).to_contain_text("by bea")
