"""The first page: what is to be done, for who may do it, and what this is."""

import re
from uuid import UUID

import pytest
from flask import Flask

from tasks.accept import accept
from tasks.shop.wiring import Shop
from tests.support.desk import cancel
from tests.support.logged_in import browser_of
from tests.support.visiting import Browser, Place, Send, Work, in_days
from tests.webapp.test_undecided import SHAPES, forge
from tests.webapp.test_undecided import send as accept_and_run


def piles_in(page: str) -> dict[str, tuple[str, list[int]]]:
    """Return the number and the orders of each pile, by its heading."""
    found = {}
    for part in re.findall(r"<section class=\"part\".*?</section>", page, re.DOTALL):
        heading = re.search(r">([^<]*)</a> <span class=\"count\">([^<]*)", part)
        if heading:
            orders = re.findall(r'href="/orders/(\d+)">\d', part)
            found[heading[1]] = heading[2], [int(n) for n in orders]
    return found


def words_of(page: str, order: int) -> str:
    """Return what the desk says of an order, in its first pile."""
    found = re.search(rf'href="/orders/{order}">.*?</li>', page, re.DOTALL)
    assert found, order
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split())


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the desk be that of five days later."""
    monkeypatch.setattr("webapp.pages.desk.day_in_question", lambda: in_days(5))


def test_the_desk_has_a_pile_of_each_thing_to_do_the_oldest_first(
    browser: Browser, place: Place, send: Send, work: Work, alice: str
) -> None:
    to_pay = [place(), place()]
    ready = place("paid")
    place("shipped")
    on_account = place(terms=30)
    to_refund = place("paid")
    work(send("CancelOrder", {"order_id": to_refund, "reason": "no"}, key="no"))
    piles = piles_in(browser.see("/"))

    assert piles == {
        "To be paid": ("3", [*to_pay, on_account]),
        "To be shipped": ("2", [ready, on_account]),
        "Late": ("0", []),
        "To refund": ("1", [to_refund]),
    }


def test_what_is_late_is_late_in_the_days_of_the_shop(
    browser: Browser, place: Place, alice: str, soon: None
) -> None:
    late = place(required_date=str(in_days(1)))
    place(required_date=str(in_days(9)))

    page = browser.see("/")
    assert piles_in(page)["Late"] == ("1", [late])
    assert "4 days late" in page


def test_an_order_says_for_how_long_it_is_to_be_paid(
    browser: Browser, place: Place, alice: str, soon: None
) -> None:
    prepaid, overdue, later = place(), place(terms=4), place(terms=14)
    page = browser.see("/")

    assert "placed 5 days ago" in words_of(page, prepaid)
    assert "overdue for 1 day 25.00 EUR" in words_of(page, overdue)
    assert "to be paid in 9 days" in words_of(page, later)


def test_each_pile_leads_to_its_list_and_each_order_to_its_next_step(
    browser: Browser, place: Place, alice: str
) -> None:
    ready = place("paid")
    to_pay = place()
    page = browser.see("/")

    assert 'href="/orders?sort=placed&amp;due=true">To be paid' in page
    assert 'href="/orders?sort=placed&amp;ready=true">To be shipped' in page
    assert f'href="/orders/{to_pay}/payment">Note payment' in page
    assert f'href="/orders/{ready}/shipment">Ship' in page
    for address in re.findall(r'href="(/orders/\d+/\w+)"', page):
        browser.see(address)


def test_a_late_order_that_cannot_be_shipped_offers_no_shipping(
    browser: Browser, place: Place, alice: str, soon: None
) -> None:
    unpaid = place(required_date=str(in_days(1)))
    page = browser.see("/")

    assert piles_in(page)["Late"] == ("1", [unpaid])
    assert "/shipment" not in page


def test_a_step_is_offered_to_who_may_take_it(
    app: Flask, shop: Shop, place: Place, alice: str
) -> None:
    place("paid")
    place()

    sam = browser_of(app, shop, "sam", "warehouse").get("/").text
    ann = browser_of(app, shop, "ann", "auditor").get("/").text
    assert "/shipment" in sam
    assert "/payment" not in sam
    assert "/orders/new" not in sam
    assert not re.findall(r'href="/orders/\d+/', ann)


def test_today_s_orders_are_counted_without_the_worth_of_cancelled_ones(
    browser: Browser, place: Place, alice: str
) -> None:
    place()
    place("cancelled")

    page = browser.see("/")
    assert "Placed today: <strong>2 orders</strong>, worth <strong>25.00 EUR" in page


def test_yesterday_s_orders_are_not_today_s(
    browser: Browser, place: Place, alice: str, soon: None
) -> None:
    place()

    assert "Placed today: <strong>0 orders</strong>." in browser.see("/")


def fail(shop: Shop) -> UUID:
    """Have a command of staff fail for good, and return its id."""
    command_id = accept(shop, cancel, key="crash", principal="staff").command_id
    with shop.lent() as connection:
        connection.execute(
            "UPDATE commands SET status = 'failed', finished_at = now(),"
            ' error = \'{"type": "Crash"}\' WHERE id = %s',
            (command_id,),
        )
    return command_id


def test_what_failed_is_shown_to_who_sees_everybody_s_commands(
    app: Flask, shop: Shop, place: Place, alice: str
) -> None:
    place()
    failed = fail(shop)

    operator = browser_of(app, shop, "olga", "operator").get("/").text
    assert f'href="/commands/{failed}">Order 1 was not cancelled' in operator
    assert "What failed" not in browser_of(app, shop, "sue", "sales").get("/").text


def test_a_command_that_nobody_can_decide_is_shown_to_operators(
    app: Flask, shop: Shop, place: Place, alice: str
) -> None:
    place()
    forge(shop, "order-1", *SHAPES["a type that nobody knows"])
    stuck = accept_and_run(shop, cancel, "stuck")

    operator = browser_of(app, shop, "olga", "operator").get("/").text
    assert f'href="/commands/{stuck}">Order 1 is being cancelled' in operator
    assert "cannot be carried out at the moment" in operator


def test_an_empty_shop_says_what_it_is_and_offers_the_demo(browser: Browser) -> None:
    page = browser.see("/")

    assert "This is Recount" in page
    assert "Three things to do first" in page
    assert "<code>./recount demo</code>" in page
    assert "<code>./recount tour</code>" in page
    for address in ("/products/new", "/customers/new", "/orders/new"):
        assert f'href="{address}"' in page


def test_a_shop_with_a_history_offers_no_demo_but_the_first_steps(
    browser: Browser, alice: str
) -> None:
    page = browser.see("/")

    assert "Three things to do first" in page
    assert "./recount" not in page


def test_who_has_placed_an_order_is_no_newcomer(
    browser: Browser, place: Place, alice: str
) -> None:
    place("delivered")
    page = browser.see("/")

    assert "This is Recount" not in page
    assert piles_in(page)["To be paid"] == ("0", [])
