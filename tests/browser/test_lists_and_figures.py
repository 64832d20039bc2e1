"""What is open, what was sold, and both as files."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browsing import Browsers
from tests.support.chores import Measure
from tests.support.running_shop import RunningShop


def rows_of(page: Page, link: Locator) -> list[list[str]]:
    """Press a *link* and return the rows of the file that comes."""
    with page.expect_download() as coming:
        link.press("Enter")
    text = coming.value.path().read_text("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_what_is_unpaid_for_longest_comes_first(
    browsers: Browsers, chore: Measure
) -> None:
    page = browsers.of("bea")
    with chore("unpaid for more than a week", page, loads=1):
        page.get_by_role("link", name="to be paid").press("Enter")
        rows = page.get_by_role("row").filter(has=page.get_by_role("rowheader"))
        expect(rows.first).to_be_visible()

    placed = rows.first.get_by_role("time").first.get_attribute("datetime")
    assert placed is not None
    a_week_ago = datetime.now(UTC) - timedelta(days=7)
    assert datetime.fromisoformat(placed) < a_week_ago


def test_an_order_that_was_needed_by_yesterday_is_late(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    late = desk.order(required_date=yesterday.isoformat(), terms=30)
    desk.settle()
    page = browsers.of("wim")
    with chore("what is late", page, loads=1):
        page.get_by_role("link", name="late", exact=True).press("Enter")
        expect(page.get_by_text("The orders that are late:")).to_be_visible()
        order = page.get_by_role("rowheader", name=str(late), exact=True)
        expect(order).to_be_visible()


def test_a_list_is_a_file_as_it_is_filtered(browsers: Browsers) -> None:
    page = browsers.of("bea", "/orders?q=Portland")
    shown = page.get_by_role("rowheader").count()
    rows = rows_of(page, page.get_by_role("link", name="CSV", exact=True))

    assert len(rows) == 1 + shown


@pytest.mark.parametrize("by", ["product", "country", "customer"])
def test_what_was_sold_last_month_is_a_table_a_plot_and_a_file(
    by: str, browsers: Browsers, chore: Measure
) -> None:
    page = browsers.of("bea", "/sales")
    with chore(f"sold last month by {by}", page, loads=2):
        page.get_by_role("link", name="last month").press("Enter")
        page.get_by_role("link", name=f"by {by}").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Sales by {by}")
        expect(page.locator("figure svg")).to_be_visible()
        expect(page.get_by_role("rowheader", name="In all")).to_be_visible()

    lines = page.locator("tbody").get_by_role("rowheader").count()
    rows = rows_of(page, page.get_by_role("link", name="As a file (CSV)"))
    assert len(rows) == 1 + lines


@pytest.mark.parametrize(
    ("name", "pile"),
    [("bea", "To be paid"), ("wim", "To be shipped"), ("wim", "Late")],
)
def test_the_desk_leads_to_what_is_to_be_done(
    name: str, pile: str, browsers: Browsers, chore: Measure
) -> None:
    page = browsers.of(name, "/")
    with chore(f"from the desk to what is {pile.lower()}", page, loads=1):
        page.get_by_role("heading", name=pile).get_by_role("link").press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Orders")
        expect(page.get_by_text("The orders ")).to_be_visible()
