"""What a day needs of an order: changes, parts, returns, notes, each by its form."""

import re
from dataclasses import replace
from html import unescape

import pytest
from flask.testing import FlaskClient

from tasks.shop.wiring import Shop
from tests.support.visiting import (
    CLOCKS,
    Browser,
    Place,
    Send,
    Work,
    hidden_of,
    in_days,
    value_of,
    written,
)

LAMP = {"product": "LAMP", "quantity": 3, "unit_price": 1_000}
CLOCK = CLOCKS["items"][0]


@pytest.fixture
def two_lines(place: Place, alice: str) -> int:
    """An order of two clocks and three lamps, for 55.00 EUR; nothing is paid."""
    return place(items=[CLOCK, LAMP])


@pytest.fixture
def cancels_unpaid(shop: Shop) -> int:
    """The shop cancels unpaid orders after so many days; ask for it first."""
    shop.settings = replace(shop.settings, unpaid_days=30)
    return 30


def text_of(page: str) -> str:
    """Return what *page* says, without its tags, and without marks beside values."""
    page = re.sub('<a class="why".*?</a>', "", page)
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]*>", " ", page)))


def act(browser: Browser, work: Work, action: str, **typed: str) -> str:
    """Fill in the form of an action on order 1, do it, and return the order's page."""
    address = f"/orders/1/{action}"
    page = browser.see(address)
    shown = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page))
    filled = dict(
        re.findall(r'<input id="[^"]*" name="([^"]+)"[^>]* value="(.*?)"', page)
    )
    fields = {name: unescape(text) for name, text in {**shown, **filled}.items()}
    sent = browser.client.post(address, data={**fields, **typed})
    assert sent.status_code == 303, text_of(sent.text)
    work(sent)
    fate = browser.fate(sent)
    assert "It caused:" in fate, text_of(fate)
    return text_of(browser.see("/orders/1"))


def test_a_payment_may_come_in_parts(
    browser: Browser, work: Work, two_lines: int
) -> None:
    half = act(browser, work, "payment", amount="30.00")
    whole = act(browser, work, "payment")

    assert "Due 25.00 EUR" in half
    assert "Order 1 pending" in half
    assert "Order 1 paid" in whole
    assert "Due 0.00" in whole


def test_an_order_with_days_to_pay_is_shipped_first(
    browser: Browser, work: Work, place: Place, alice: str
) -> None:
    place(terms=14)
    shipped = act(browser, work, "shipment", tracking_no="1Z999")
    paid = act(browser, work, "payment")

    assert "Due 25.00 EUR within 14 days" in shipped
    assert "Order 1 shipped" in paid
    assert "Due 25.00" not in paid


def test_a_parcel_has_some_of_the_lines(
    browser: Browser, work: Work, two_lines: int
) -> None:
    act(browser, work, "payment")
    typed = {"lines.0.quantity": "1", "lines.1.quantity": ""}
    page = act(browser, work, "parcel", tracking_no="1Z1", **typed)
    rest = act(browser, work, "shipment", tracking_no="1Z2")

    assert "Order 1 paid" in page
    assert "Parcel shipped : 1 piece, tracking number 1Z1" in page
    assert "Order 1 shipped" in rest
    assert "Parcel 1 1Z1 1 pieces" in rest
    assert "Parcel 2 1Z2 4 pieces" in rest


def test_a_parcel_of_more_than_is_left_is_refused(
    browser: Browser, work: Work, two_lines: int
) -> None:
    act(browser, work, "payment")
    page = browser.see("/orders/1/parcel")
    typed = {"lines.0.line": "1", "lines.0.quantity": "3", "tracking_no": "1Z1"}
    sent = browser.client.post("/orders/1/parcel", data={**hidden_of(page), **typed})
    work(sent)

    assert "Of line 1, RETRO-CLOCK, 2 are left; 3 is more." in browser.fate(sent)


def test_a_tracking_number_is_corrected(
    browser: Browser, work: Work, place: Place, alice: str
) -> None:
    place("shipped")
    page = act(browser, work, "tracking", tracking_no="1Z998")

    assert "Tracking 1Z998" in page


def test_lines_come_back_and_their_price_is_refunded(
    browser: Browser, send: Send, work: Work, two_lines: int
) -> None:
    work(send("OpenAccount", {"account_id": "ALICE"}, key="account"))
    act(browser, work, "payment")
    act(browser, work, "shipment", tracking_no="1Z999")
    back = act(browser, work, "return", **{"lines.1.quantity": "2"})
    refunded = act(browser, work, "refund")

    assert "To refund 20.00 EUR" in back
    assert "Returned : 2 pieces; it costs 35.00 EUR now" in back
    assert "Refunded 20.00" in refunded
    assert "To refund" not in refunded


def test_all_that_came_back_is_a_returned_order(
    browser: Browser, work: Work, place: Place, alice: str
) -> None:
    place("delivered")

    assert "Order 1 returned" in act(
        browser, work, "return", **{"lines.0.quantity": "2"}
    )


def test_a_return_of_nothing_is_asked_back(
    browser: Browser, place: Place, alice: str
) -> None:
    place("delivered")
    page = browser.send("/orders/1/return")

    assert page.status_code == 422, text_of(page.text)
    assert "must name at least one line" in text_of(page.text)


def test_lines_are_changed_and_keep_their_prices(
    browser: Browser, work: Work, two_lines: int
) -> None:
    page = act(browser, work, "lines", **{"items.0.quantity": "1", "freight": "4.20"})

    assert "RETRO-CLOCK 1 12.50" in page
    assert "Lines changed : 2 lines, 46.70 EUR" in page
    assert "Order placed : 2 lines, 55.00 EUR" in page


def test_a_line_is_removed_and_another_added(
    browser: Browser, client: FlaskClient, work: Work, two_lines: int
) -> None:
    page = browser.see("/orders/1/lines")
    lines = {
        "items.0.line": "2",
        "items.0.product": "LAMP",
        "items.0.quantity": "3",
        "items.0.unit_price": "10.00",
        "items.1.product": "SHADE",
        "items.1.own": "on",
        "items.1.quantity": "1",
        "items.1.unit_price": "7.00",
    }
    work(client.post("/orders/1/lines", data={**hidden_of(page), **lines}))
    said = text_of(browser.see("/orders/1"))

    assert "RETRO-CLOCK" not in said
    assert "SHADE 1 7.00 7.00" in said
    assert "Total 37.00" in said


def test_a_button_of_the_lines_changes_the_form_and_sends_nothing(
    browser: Browser, two_lines: int
) -> None:
    page = browser.send("/orders/1/lines", **{"items.0.line": "1", "add_line": "1"})

    assert page.status_code == 200
    assert "items.1.product" in page.text


def test_an_order_goes_to_another_address(
    browser: Browser, work: Work, two_lines: int
) -> None:
    assert value_of(browser.see("/orders/1/address"), "address.city") == "Berlin"

    page = act(browser, work, "address", **{"address.city": "Potsdam"})

    assert "Potsdam" in page
    assert "Address changed" in page


def test_a_note_is_for_colleagues(browser: Browser, work: Work, two_lines: int) -> None:
    page = act(browser, work, "note", text="Ring twice.\nThe bell is quiet.")

    assert "Notes Ring twice. The bell is quiet." in page
    assert "Note added" in page


def test_a_payment_that_bounced_is_taken_back(
    browser: Browser, work: Work, place: Place, alice: str
) -> None:
    place("paid")
    page = act(browser, work, "void")

    assert "Order 1 pending" in page
    assert "taken back" in page
    assert "Due 25.00 EUR" in page


def test_money_for_a_cancelled_order_is_noted_and_refunded(
    browser: Browser, send: Send, work: Work, place: Place, alice: str
) -> None:
    work(send("OpenAccount", {"account_id": "ALICE"}, key="account"))
    place("cancelled")
    noted = act(browser, work, "payment")
    refunded = act(browser, work, "refund")

    assert "Order 1 cancelled" in noted
    assert "To refund 25.00 EUR" in noted
    assert "Refunded 25.00" in refunded


def test_the_day_of_cancelling_is_shown_and_can_be_put_off(
    cancels_unpaid: int, browser: Browser, work: Work, two_lines: int
) -> None:
    before = text_of(browser.see("/orders/1"))
    page = act(browser, work, "put_off", until=str(in_days(60)))

    assert f"Cancelled if nothing is paid, on {written(in_days(30))}" in before
    assert f"Cancelling put off : until the end of {written(in_days(60))}" in page
    assert f"Cancelled if nothing is paid, on {written(in_days(61))}, 00:00" in page


def test_an_order_is_copied_into_a_form(
    browser: Browser, send: Send, work: Work, place: Place, alice: str
) -> None:
    added = {"product_id": "RC-1", "name": "CLOCK", "unit_price": 1_250}
    work(send("AddProduct", added, key="clock"))
    place(items=[{"product_id": "RC-1", "quantity": 2}, LAMP])
    work(send("ChangePrice", {"product_id": "RC-1", "unit_price": 1_300}, key="price"))
    page = browser.see("/orders/new?copy=1")

    assert value_of(page, "customer_id") == "ALICE"
    assert value_of(page, "address.city") == "Berlin"
    # Of the list's product today's price is meant, of the other the one it had.
    assert value_of(page, "items.0.product") == "RC-1"
    assert value_of(page, "items.0.unit_price") == ""
    assert value_of(page, "items.1.unit_price") == "10.00"


@pytest.mark.parametrize("sheet", ["packing-slip", "confirmation"])
def test_an_order_has_sheets_to_print(
    browser: Browser, two_lines: int, sheet: str
) -> None:
    said = text_of(browser.see(f"/orders/1/{sheet}"))

    assert "RETRO-CLOCK" in said
    assert "Obere Str. 57" in said


def test_for_somebody_forgotten_nothing_is_offered_that_would_be_refused(
    browser: Browser, send: Send, work: Work, two_lines: int
) -> None:
    forget = {"customer_id": "ALICE"}
    asked = send("ForgetCustomer", forget, key="asked")
    meant = browser.client.post(
        "/api/commands",
        json={"type": "ForgetCustomer", "data": forget, "confirmed": ["customer_id"]},
        headers={"Idempotency-Key": "meant"},
    )
    work(meant)
    page = browser.see("/orders/1")

    assert asked.status_code == 422
    assert asked.json is not None
    assert asked.json["faults"] == [
        {
            "field": "customer_id",
            "problem": "has 1 order under way: 1",
            "can_be_confirmed": True,
        }
    ]
    for refused in ("/orders/1/note", "/orders/1/address", "copy=1", "customer=ALICE"):
        assert refused not in page


def test_forgetting_asks_about_open_business_first(
    browser: Browser, client: FlaskClient, send: Send, work: Work, two_lines: int
) -> None:
    work(send("OpenAccount", {"account_id": "ALICE"}, key="account"))
    work(send("Deposit", {"account_id": "ALICE", "amount": 500}, key="money"))
    page = browser.see("/customers/ALICE/forget")
    asked = client.post("/customers/ALICE/forget", data=hidden_of(page))
    again = {**hidden_of(asked.text), "confirmed": "customer_id"}
    work(sent := client.post("/customers/ALICE/forget", data=again))

    told = "has 1 order under way: 1; 5.00 EUR in the account"
    assert told in page
    assert asked.status_code == 422
    assert told in asked.text
    assert "/orders/new" not in browser.fate(sent).partition("It caused")[2]


def test_a_day_that_has_passed_is_asked_back_and_can_be_meant(
    send: Send, client: FlaskClient, alice: str
) -> None:
    past = {**CLOCKS, "required_date": str(in_days(-1))}
    asked = send("PlaceOrder", past, key="asked")
    meant = client.post(
        "/api/commands",
        json={"type": "PlaceOrder", "data": past, "confirmed": ["required_date"]},
        headers={"Idempotency-Key": "meant"},
    )

    assert asked.status_code == 422
    assert asked.json is not None
    assert asked.json["faults"][0]["can_be_confirmed"] is True
    assert meant.status_code == 202


@pytest.mark.parametrize(
    "confirmed", ["required_date", [1], {"a": 1}, None, ["x"] * 1_001]
)
def test_what_is_confirmed_is_a_list_of_names(
    client: FlaskClient, confirmed: object
) -> None:
    answer = client.post(
        "/api/commands",
        json={"type": "PlaceOrder", "data": CLOCKS, "confirmed": confirmed},
        headers={"Idempotency-Key": "k"},
    )

    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["faults"][0]["field"] == "confirmed"


def test_what_is_wrong_cannot_be_confirmed(client: FlaskClient) -> None:
    answer = client.post(
        "/api/commands",
        json={"type": "PlaceOrder", "data": {}, "confirmed": ["items", "customer_id"]},
        headers={"Idempotency-Key": "k"},
    )

    assert answer.status_code == 422


def test_an_order_of_as_many_lines_as_may_be_can_be_changed(
    browser: Browser, client: FlaskClient, work: Work, place: Place, alice: str
) -> None:
    line = {"product": "RETRO-CLOCK with a chime", "quantity": 1, "unit_price": 1_250}
    place(items=[line] * 500)
    page = browser.see("/orders/1/lines")
    shown = re.findall(r'name="(items[^"]*)"[^>]* value="([^"]*)"', page)
    fields = {name: unescape(text) for name, text in shown}
    fields |= {f"items.{number}.discount": "12.34" for number in range(500)}
    sent = client.post("/orders/1/lines", data={**hidden_of(page), **fields})
    assert sent.status_code == 303, text_of(sent.text)[:500]
    work(sent)

    assert "Lines changed" in text_of(browser.see("/orders/1"))
