"""Whoever looks over a shoulder sees what happened, when, by whom, and why."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from tests.support.browsing import Browsers, see_order
from tests.support.chores import Measure
from tests.support.running_shop import IRIS, UTRECHT, RunningShop


def last_tuesday() -> str:
    """Return the day of the last Tuesday that is over, as a field of dates has it."""
    today = datetime.now(UTC).date()
    return (today - timedelta(days=(today.weekday() - 1) % 7 or 7)).isoformat()


def show_as_of(page: Page, day: str) -> None:
    asked = page.get_by_role("form", name="As of which day")
    asked.get_by_label("As of").fill(day)
    asked.get_by_role("button", name="Show").press("Enter")


def test_the_list_is_shown_as_of_last_tuesday(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    new = desk.order()
    desk.settle()
    page = browsers.of("sara")
    expect(page.get_by_role("rowheader", name=str(new), exact=True)).to_be_visible()
    with chore("the list as of last Tuesday", page, loads=1):
        show_as_of(page, last_tuesday())
        expect(page.locator(".past")).to_contain_text("not today")
        expect(page.get_by_role("rowheader").first).to_be_visible()

    expect(page.get_by_role("rowheader", name=str(new), exact=True)).to_have_count(0)


def test_what_changed_since_yesterday_is_a_list(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    new = desk.order()
    desk.settle()
    page = browsers.of("aude")
    with chore("what changed since yesterday", page, loads=1):
        page.get_by_role("link", name="What changed since yesterday").press("Enter")
        expect(page.get_by_role("rowheader", name=str(new), exact=True)).to_be_visible()


def test_who_changed_the_address_is_one_press_away(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order()
    street = {**UTRECHT, "street": "Oudegracht 12"}
    desk.do("ChangeAddress", order_id=order_id, customer_id=IRIS, address=street)
    desk.settle()
    page = browsers.of("aude", f"/orders/{order_id}")
    with chore("who changed the address", page, loads=1):
        page.get_by_role("link", name="Why is the address so?").first.press("Enter")
        expect(page.locator(".history li").first).to_contain_text("Oudegracht 12")
        expect(page.locator(".history li").first).to_contain_text("by ines")

    expect(page.locator(".history li").last).to_contain_text("Lijnmarkt 84")


def test_a_total_says_why_it_is_so(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order(("Reading lamp", 2, 8_000))
    changed = [{"line": 1, "quantity": 3}]
    desk.do("ChangeItems", order_id=order_id, items=changed, freight=500)
    desk.settle()
    page = browsers.of("aude", f"/orders/{order_id}")
    with chore("why is this total so", page, loads=1):
        page.get_by_role("link", name="Why is the total so?").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("245.00 EUR")
        expect(page.locator(".history li").first).to_contain_text("before: 160.00 EUR")


def test_a_page_of_the_past_offers_nothing_that_changes_today(
    browsers: Browsers, chore: Measure
) -> None:
    page = browsers.of("ines", "/orders/100")
    with chore("one order as it was", page, loads=1):
        show_as_of(page, last_tuesday())
        expect(page.locator(".past")).to_contain_text("not today")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Order 100")

    expect(page.get_by_role("complementary")).to_have_count(0)
    lines, history = page.get_by_role("table"), page.get_by_role("heading", level=2)
    left = [part.first.bounding_box() for part in (lines, history)]
    # Below each other, as on the page of today.
    assert len({round(box["x"]) for box in left if box}) == 1


def test_a_history_is_filtered_by_person(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    order_id = desk.order()
    desk.do("AddNote", order_id=order_id, customer_id=IRIS, text="Wants it wrapped.")
    desk.settle()
    page = browsers.of("sara", f"/orders/{order_id}/note")
    page.get_by_label("Note").fill("Called back.")
    page.get_by_role("button", name="Add the note").press("Enter")
    see_order(page)
    with chore("what did one person do with an order", page, loads=1):
        page.get_by_label("Who").select_option("sara")
        page.get_by_role("button", name="Filter").press("Enter")
        expect(page.locator(".history li")).to_have_count(1)

    expect(page.locator(".history")).to_contain_text("by sara")
