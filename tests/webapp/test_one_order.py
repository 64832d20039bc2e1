"""The page of one order: what is known of it, and what can be done with it."""

import re
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.support.databases import ROOT
from tests.support.visiting import (
    CLOCKS,
    HOW,
    Browser,
    Place,
    Send,
    Work,
    in_days,
    value_of,
    written,
)

OFFERED = {
    "pending": {"payment", "cancel"},
    "paid": {"shipment", "cancel"},
    "shipped": {"delivery"},
    "delivered": set(),
    "cancelled": set(),
}
TYPED = {
    "payment": {"amount": "25.00"},
    "shipment": {"tracking_no": "1Z999"},
    "delivery": {"delivered_at": "2026-11-20T14:05"},
    "cancel": {"reason": "Ordered twice"},
}
LEADS_TO = {
    "payment": "paid",
    "shipment": "shipped",
    "delivery": "delivered",
    "cancel": "cancelled",
}


def offered_in(page: str) -> set[str]:
    """Return which of the actions that are looked at here *page* offers."""
    return TYPED.keys() & set(re.findall(r'action="/orders/\d+/(\w+)"', page))


def text_of(page: str) -> str:
    """Return what *page* says, without its tags, and without marks beside values."""
    page = re.sub('<a class="why".*?</a>', "", page)
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]*>", " ", page)))


@pytest.mark.parametrize("status", list(HOW))
def test_an_order_offers_what_its_status_allows(
    browser: Browser, place: Place, alice: str, status: str
) -> None:
    order_id = place(status)

    assert offered_in(browser.see(f"/orders/{order_id}")) == OFFERED[status]


@pytest.mark.parametrize(
    ("status", "action"),
    [(status, action) for status in OFFERED for action in sorted(OFFERED[status])],
)
def test_what_is_offered_works(
    browser: Browser, place: Place, work: Work, alice: str, status: str, action: str
) -> None:
    order_id = place(status)
    page = f"/orders/{order_id}"
    typed = TYPED[action]
    if action == "delivery":
        # As it is filled in: it cannot have arrived before the day it was placed.
        typed = {"delivered_at": value_of(browser.see(page), "delivered_at") or ""}
    sent = browser.send(f"{page}/{action}", form=page, **typed)
    work(sent)

    assert f'href="{page}?min_position=' in browser.fate(sent)
    assert f'class="badge {LEADS_TO[action]}"' in browser.see(page)


@pytest.mark.parametrize(
    ("status", "action"),
    [
        (status, action)
        for status in HOW
        for action in TYPED
        if action not in OFFERED[status]
        # Money that comes all the same is noted, from a page of its own.
        and (status, action) != ("cancelled", "payment")
    ],
)
def test_what_is_not_offered_is_told_and_has_no_form(
    browser: Browser, place: Place, alice: str, status: str, action: str
) -> None:
    page = browser.see(f"/orders/{place(status)}/{action}")

    assert f"is {status}" in page
    assert offered_in(page) == set()


def test_a_gift_is_shipped_without_a_payment(
    browser: Browser, place: Place, alice: str
) -> None:
    line = {**CLOCKS["items"][0], "discount": "1"}
    order_id = place(items=[line])

    assert offered_in(browser.see(f"/orders/{order_id}")) == {"shipment", "cancel"}


def test_the_payment_is_filled_in_with_the_total(
    browser: Browser, place: Place, alice: str
) -> None:
    place()

    assert value_of(browser.see("/orders/1"), "amount") == "25.00"
    assert value_of(browser.see("/orders/1/payment"), "amount") == "25.00"


def test_the_delivery_is_filled_in_with_the_present_time(
    browser: Browser, place: Place, alice: str
) -> None:
    place("shipped")
    moment = value_of(browser.see("/orders/1"), "delivered_at")

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d", moment or "")


def test_a_fault_is_told_at_the_field_and_what_was_typed_is_kept(
    browser: Browser, place: Place, alice: str
) -> None:
    place()
    page = browser.send("/orders/1/payment", amount="1000,005")

    assert page.status_code == 422
    assert "write it like 12.50" in page.text
    assert value_of(page.text, "amount") == "1000,005"
    assert 'href="/orders/1"' in page.text


def test_an_action_sent_twice_is_done_once(
    browser: Browser, client: FlaskClient, place: Place, work: Work, alice: str
) -> None:
    place()
    form = {"key": "the same", "amount": "25.00"}
    first = browser.send("/orders/1/payment", **form)
    second = browser.send("/orders/1/payment", **form)
    work(first)

    assert first.headers["Location"] == second.headers["Location"]


def test_an_order_shows_its_lines_totals_and_address(
    browser: Browser, place: Place, alice: str
) -> None:
    items = [
        {"product": "CLOCK", "quantity": 1200, "unit_price": 1250, "discount": "0.125"},
        {"product": "CHAI", "quantity": 1, "unit_price": 1, "product_id": "17"},
    ]
    place(items=items, freight=4250, required_date=str(in_days(30)))
    said = text_of(browser.see("/orders/1"))

    assert "CLOCK 1,200 12.50 12.5 % 13,125.00" in said
    assert "CHAI 17 1 0.01 0.01" in said
    # The discount of a line is in its amount, and is not taken off once more.
    assert "\u2212" not in said
    assert "Freight 42.50 Total 13,167.51" in said
    assert "Total 13,167.51 EUR" in said
    assert "Obere Str. 57 Berlin Germany" in said
    assert f"Needed by {written(in_days(30))}" in said


def test_a_discount_on_the_whole_order_is_in_its_total_and_told(
    browser: Browser, place: Place, alice: str
) -> None:
    place(discount="0.05")
    said = text_of(browser.see("/orders/1"))

    assert "Discount on all of it, 5 % \u22121.25" in said
    assert "Total 23.75" in said


ORDERS_THAT_ADD_UP: list[tuple[list[tuple[int, int, str]], str, str]] = [
    ([(2_390, 10, "0.25")], "0", "221.75"),
    ([(2_390, 10, "0.25")], "0.05", "212.79"),
    ([(2_390, 10, "0"), (1, 1, "0.5"), (1, 1, "0.5")], "0", "281.51"),
    ([(1, 1, "0.5"), (1, 1, "0.5"), (1, 1, "0.5")], "0.3333", "42.51"),
    ([(1_250, 2, "1")], "0", "42.50"),
]


@pytest.mark.parametrize(("lines", "discount", "total"), ORDERS_THAT_ADD_UP)
def test_what_stands_above_the_total_of_an_order_adds_up_to_it(
    browser: Browser,
    place: Place,
    alice: str,
    lines: list[tuple[int, int, str]],
    discount: str,
    total: str,
) -> None:
    items = [
        {"product": "CHAI", "unit_price": price, "quantity": count, "discount": off}
        for price, count, off in lines
    ]
    place(items=items, discount=discount, freight=4_250)
    page = browser.see("/orders/1")
    table = page[page.index('<table class="receipt">') : page.index("</table>")]
    above, _, below = table.partition('<tr class="sum">')
    rows = re.findall(r"<tr>.*?</tr>", above.partition("<tbody>")[2], re.DOTALL)
    column = [re.findall(r'<td class="number">(.*?)</td>', row)[-1] for row in rows]

    assert sum(map(amount_in, column), Decimal(0)) == Decimal(total)
    assert f"<strong>{total}</strong>" in below


def amount_in(cell: str) -> Decimal:
    return Decimal(cell.replace(",", "").replace("\u2212", "-"))


def test_the_history_tells_what_when_who_and_because_of_what(
    browser: Browser, client: FlaskClient, place: Place, alice: str
) -> None:
    place("delivered")
    page = browser.see("/orders/1")
    said = text_of(page)
    causes = re.findall(r'href="(/commands/[^"]+)"', page)

    told = [
        "Order placed : 1 line, 25.00 EUR",
        "Payment received : 25.00 EUR",
        "Shipped , tracking number 1Z999",
        "Delivered : arrived ",
    ]
    places = [said.index(words) for words in told]
    assert places == sorted(places)
    assert said.count("by local") == 4
    assert len(set(causes)) == 4
    assert all(client.get(cause).status_code == 200 for cause in causes)


def test_a_cancellation_keeps_its_reason(
    browser: Browser, place: Place, alice: str
) -> None:
    place("cancelled")

    assert "Cancelled : Ordered twice" in text_of(browser.see("/orders/1"))


def test_a_reason_of_several_lines_keeps_its_lines(
    browser: Browser, send: Send, work: Work, place: Place, alice: str
) -> None:
    place("paid")
    reason = "Ordered twice.\nThe customer called."
    work(send("CancelOrder", {"order_id": 1, "reason": reason}, key="cancel"))

    page = browser.see("/orders/1")
    styles = (ROOT / "webapp" / "static" / "recount.css").read_text()
    assert f'<span class="text">{reason}</span>' in page
    assert re.search(r"\.history \.text {[^}]*white-space: pre-line", styles)


def test_what_others_typed_is_shown_as_text(
    browser: Browser, send: Send, work: Work, place: Place, alice: str
) -> None:
    evil = "<script>alert(1)</script>"
    data: dict[str, Any] = {
        "items": [{"product": evil, "quantity": 1, "unit_price": 1}],
        "address": {"street": evil, "city": evil, "country": evil},
    }
    order_id = place(**data)
    work(send("CancelOrder", {"order_id": order_id, "reason": evil}, key="cancel"))
    page = browser.see(f"/orders/{order_id}")

    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 5
    assert "<script>alert" not in page


@pytest.mark.parametrize("page", ["", "/payment", "/cancel"])
def test_an_order_that_never_was_is_not_found(client: FlaskClient, page: str) -> None:
    response = client.get(f"/orders/7{page}")

    assert response.status_code == 404
    assert "There is no order 7." in response.text


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5", str(2**53 + 1), "%00"])
def test_what_is_no_order_s_number_is_not_found(
    client: FlaskClient, number: str
) -> None:
    assert client.get(f"/orders/{number}").status_code == 404
