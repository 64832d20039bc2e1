"""Nothing typed is lost, and nothing is sent twice: by Back, a reload or a login."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import Browsers, expect_done
from tests.support.chores import Measure
from tests.support.logged_in import PASSWORD
from tests.support.running_shop import RunningShop


@pytest.fixture
def order_id(desk: RunningShop) -> int:
    order_id = desk.order(("Reading lamp", 3, 8_000))
    desk.do("ReceivePayment", order_id=order_id, amount=1_000)
    desk.settle()
    return order_id


def posts_of(page: Page) -> list[str]:
    """Return a list that gets the address of each form that *page* sends."""
    sent: list[str] = []
    page.on(
        "request",
        lambda request: sent.append(request.url) if request.method == "POST" else None,
    )
    return sent


FORMS = ("lines", "address", "payment", "note", "void", "cancel")


@pytest.mark.parametrize("form", FORMS)
def test_back_after_a_form_shows_it_and_sends_nothing(
    form: str, browsers: Browsers, order_id: int
) -> None:
    """No browser asks whether a form is to be sent again."""
    page = browsers.of("ines", f"/orders/{order_id}/{form}")
    if form in ("note", "cancel"):
        page.locator("form[method=post] textarea").fill("As Iris wants it.")
    page.locator("form[method=post] .send button").first.press("Enter")
    expect(page.locator("#fate h1")).to_contain_text("is")
    page.wait_for_url("**/commands/*")
    sent = posts_of(page)

    page.go_back()
    expect(page).to_have_url(re.compile(f"/orders/{order_id}/{form}$"))
    page.go_forward()
    expect(page.locator("#fate h1")).to_be_visible()
    page.reload()
    expect(page.locator("#fate h1")).to_be_visible()
    assert sent == []


def test_back_after_a_form_that_was_refused_and_sent_again_ends_at_the_form(
    browsers: Browsers, order_id: int, chore: Measure
) -> None:
    page = browsers.of("ines", f"/orders/{order_id}")
    page.goto(f"/orders/{order_id}/payment")
    page.get_by_label("Amount").fill("many")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was sent yet")
    page.get_by_label("Amount").fill("5")
    page.keyboard.press("Enter")
    expect_done(page)
    sent = posts_of(page)
    with chore("Back after a form that was refused", page, loads=1):
        page.go_back()
        expect(page.get_by_label("Amount")).to_be_visible()

    assert sent == []


def test_a_reload_of_a_form_keeps_its_page(browsers: Browsers, order_id: int) -> None:
    page = browsers.of("ines", f"/orders/{order_id}/note")
    sent = posts_of(page)
    page.reload()

    expect(page.get_by_label("Note")).to_be_visible()
    assert sent == []


def test_a_form_whose_session_ran_out_is_there_again_after_the_login(
    browsers: Browsers, desk: RunningShop, chore: Measure
) -> None:
    page = browsers.of("sara", "/customers/new")
    log_in_as(page, "sara")
    page.goto("/customers/new")
    page.get_by_label("Name", exact=True).fill("Frau Ünal")
    page.get_by_label("Phone").fill("0621 08460")
    end_session(desk, page)
    with chore("a session that ran out in a form", page, loads=3):
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text(
            "what you typed is there again"
        )
        page.get_by_label("Name").fill("sara")
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_label("Name", exact=True)).to_have_value("Frau Ünal")
        expect(page.get_by_label("Phone")).to_have_value("0621 08460")
        page.get_by_role("button", name="Register the customer").press("Enter")
        expect_done(page)


def log_in_as(page: Page, name: str) -> None:
    """Log in anew, so that this session is of no other test."""
    page.context.clear_cookies()
    page.goto("/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Sign out")).to_be_visible()


def end_session(desk: RunningShop, page: Page) -> None:
    """Let the session of *page* be as old as one of which nobody has heard since."""
    with desk.shop.lent() as connection:
        connection.execute(
            "UPDATE access.sessions SET seen_at = '2020-01-01 00:00+00'"
            " WHERE created_at = (SELECT max(created_at) FROM access.sessions)"
        )
