"""Two people on one order: who meets no change of others is not stopped."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.visiting import (
    Browser,
    Place,
    Send,
    Work,
    hidden_of,
    value_of,
)
from webapp.forms import concurrent_edits

BONN = {"street": "Am Markt 1", "city": "Bonn", "country": "Germany"}
TYPED_BONN = {f"address.{name}": text for name, text in BONN.items()}
MOVE = ("ChangeAddress", {"customer_id": "ALICE", "address": BONN})
NOTE = ("AddNote", {"customer_id": "ALICE", "text": "Ring twice"})
PAY = ("ReceivePayment", {"amount": 1000})
LINE = {"line": 1, "quantity": 2}
MORE = ("ChangeItems", {"items": [{**LINE, "quantity": 5}]})
FREIGHT = ("ChangeItems", {"items": [LINE], "freight": 490})
LAMP = {"product": "Lamp", "quantity": 1, "unit_price": 300}
SHIP = ("ShipOrder", {"tracking_no": "1Z"})
Command = tuple[str, Mapping[str, object]]


class Desk:
    """Two at one desk: a form is opened, somebody else does something, it is sent."""

    def __init__(
        self, browser: Browser, client: FlaskClient, send: Send, work: Work
    ) -> None:
        self.browser, self.client, self.work = browser, client, work
        self.send_command = send

    def other(self, *commands: Command) -> None:
        for number, (name, data) in enumerate(commands):
            key = f"{name}-{number}"
            self.work(self.send_command(name, {"order_id": 1, **data}, key=key))

    def late(self, form: str, *commands: Command, **typed: str) -> TestResponse:
        """Open *form*, have *commands* done by somebody else, and send it."""
        page = self.browser.see(f"/orders/1/{form}")
        self.other(*commands)
        return self.again(form, page, **typed)

    def again(self, form: str, page: str, **typed: str) -> TestResponse:
        """Send *form* as *page* has it, with what is typed into it."""
        path = f"/orders/1/{form}"
        sent = self.client.post(path, data={**fields_of(page, path), **typed})
        if sent.status_code == 303:
            self.work(sent)
        return sent


def fields_of(page: str, path: str) -> dict[str, str]:
    """Return what the form at *path* would send, as it is on the page."""
    found = re.search(rf'<form [^>]*action="{path}".*?</form>', page, re.DOTALL)
    assert found, page
    inputs = re.findall(r'<input [^>]*?name="([^"]+)"[^>]*?value="([^"]*)"', found[0])
    return {**hidden_of(page), **{name: unescape(text) for name, text in inputs}}


@pytest.fixture
def desk(
    browser: Browser,
    client: FlaskClient,
    send: Send,
    work: Work,
    alice: str,
    place: Place,
) -> Desk:
    place("pending", terms=14)
    return Desk(browser, client, send, work)


def told(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


@pytest.mark.parametrize(
    ("form", "commands", "typed", "done"),
    [
        ("payment", [MOVE, NOTE], {"amount": "25.00"}, "payment of order 1 is noted"),
        ("address", [PAY, NOTE, MORE], TYPED_BONN, "address of order 1 is changed"),
        ("lines", [PAY, MOVE], {"items.0.quantity": "3"}, "Order 1 is changed"),
        ("shipment", [PAY, NOTE], {"tracking_no": "1Z"}, "Order 1 is shipped"),
        ("note", [MORE, MOVE, PAY], {"text": "Hm"}, "note on order 1 is added"),
        ("cancel", [MOVE, NOTE], {"reason": "no"}, "Order 1 is cancelled"),
    ],
)
def test_who_meets_nobodys_change_is_not_stopped(
    desk: Desk, form: str, commands: list[Command], typed: dict[str, str], done: str
) -> None:
    sent = desk.late(form, *commands, **typed)

    assert done in told(desk.browser.fate(sent))


@pytest.mark.parametrize(
    ("form", "commands", "typed", "says"),
    [
        ("payment", [PAY], {"amount": "25.00"}, "Payment received : 10.00 EUR"),
        ("payment", [MORE], {"amount": "25.00"}, "Lines changed : 1 line, 62.50 EUR"),
        ("shipment", [MOVE], {"tracking_no": "1Z"}, "Address changed"),
        ("shipment", [MORE], {"tracking_no": "1Z"}, "Lines changed : 1 line"),
        ("address", [SHIP], TYPED_BONN, "Shipped , tracking number 1Z"),
    ],
)
def test_who_relies_on_what_was_changed_is_told_and_sends_it_again_by_one_press(
    desk: Desk, form: str, commands: list[Command], typed: dict[str, str], says: str
) -> None:
    page = desk.browser.fate(desk.late(form, *commands, **typed))
    again = desk.again(form, page)

    assert "Somebody else has changed it meanwhile." in page
    assert says in told(page)
    assert ", by local, " in told(page)
    for name, text in typed.items():
        assert value_of(page, name) == text
    # That more is due now, or less, is for the rules.
    assert again.status_code == 303
    assert "Somebody else" not in desk.browser.fate(again)


def test_the_lines_of_one_and_the_freight_of_another_are_both_kept(
    desk: Desk, browser: Browser
) -> None:
    typed = {"items.0.quantity": "3"}
    page = browser.fate(desk.late("lines", FREIGHT, **typed))
    again = desk.again("lines", page)

    assert "The form has these changes and yours: send it again" in told(page)
    assert value_of(page, "items.0.quantity") == "3"
    assert value_of(page, "freight") == "4.90"
    assert "Order 1 is changed" in browser.fate(again)
    order = told(browser.see("/orders/1"))
    # Three clocks for 12.50 each, and the freight.
    assert "42.40 EUR" in order


def test_where_both_changed_a_line_it_is_shown_side_by_side(
    desk: Desk, browser: Browser
) -> None:
    page = browser.fate(desk.late("lines", MORE, **{"items.0.quantity": "3"}))
    again = desk.again("lines", page)

    assert "Before Now Yours Line 1, quantity 2 5 3" in told(page)
    assert "Quantity was changed meanwhile to \u201c5\u201d." in unescape(page)
    assert value_of(page, "items.0.quantity") == "3"
    assert "Order 1 is changed" in browser.fate(again)
    assert "37.50 EUR" in told(browser.see("/orders/1"))


def test_a_line_that_another_has_added_is_not_taken_away(
    desk: Desk, browser: Browser
) -> None:
    added = ("ChangeItems", {"items": [LINE, LAMP]})
    page = browser.fate(desk.late("lines", added, **{"items.0.quantity": "3"}))
    again = desk.again("lines", page)

    assert "Order 1 is changed" in browser.fate(again)
    # Three clocks, and the lamp.
    assert "40.50 EUR" in told(browser.see("/orders/1"))


def test_a_line_that_another_has_removed_can_be_ordered_anew(
    desk: Desk, browser: Browser
) -> None:
    instead = ("ChangeItems", {"items": [LAMP]})
    page = browser.fate(desk.late("lines", instead, **{"items.0.quantity": "3"}))
    again = desk.again("lines", page)

    assert "RETRO-CLOCK: 2 nothing RETRO-CLOCK: 3" in told(page)
    assert "Order 1 is changed" in browser.fate(again)
    assert "40.50 EUR" in told(browser.see("/orders/1"))


def test_who_changed_the_same_address_sees_both(desk: Desk, browser: Browser) -> None:
    mine = {**TYPED_BONN, "address.city": "Worms"}
    page = browser.fate(desk.late("address", MOVE, **mine))

    assert "Before Now Yours City Berlin Bonn Worms" in told(page)
    assert value_of(page, "address.city") == "Worms"
    assert value_of(page, "address.street") == "Am Markt 1"


def test_a_form_that_is_pressed_twice_is_done_once_though_its_version_has_moved(
    desk: Desk, browser: Browser, client: FlaskClient
) -> None:
    page = browser.see("/orders/1/payment")
    form = {**fields_of(page, "/orders/1/payment"), "amount": "10.00"}
    desk.other(MOVE)
    first = client.post("/orders/1/payment", data=form)
    desk.work(first)
    desk.other(NOTE)
    second = client.post("/orders/1/payment", data=form)

    assert first.headers["Location"] == second.headers["Location"]
    assert told(browser.see("/orders/1")).count("Payment received") == 1


def test_of_two_presses_at_once_the_second_does_not_take_the_first_for_another(
    desk: Desk, browser: Browser, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/orders/1/payment"
    form = {**fields_of(browser.see(path), path), "amount": "10.00"}
    desk.other(MOVE)
    changes_since, first = concurrent_edits.changes_since, list[TestResponse]()

    def after_the_first(*asked: Any) -> Any:
        monkeypatch.setattr(concurrent_edits, "changes_since", changes_since)
        first.append(client.post(path, data=form))
        desk.work(*first)
        return changes_since(*asked)

    monkeypatch.setattr(concurrent_edits, "changes_since", after_the_first)
    second = client.post(path, data=form)

    assert second.headers["Location"] == first[0].headers["Location"]


def test_a_trial_is_not_stopped_by_what_it_does_not_meet(
    desk: Desk, browser: Browser
) -> None:
    met = desk.late("payment", PAY, amount="25.00", **{"try": "1"})
    unmet = desk.late("payment", MOVE, amount="15.00", **{"try": "1"})

    assert "Somebody else has changed it meanwhile." in told(met.text)
    assert "Payment received : 15.00 EUR" in told(unmet.text)


def test_a_line_that_one_has_removed_and_another_changed_is_told(
    desk: Desk, browser: Browser
) -> None:
    desk.other(("ChangeItems", {"items": [LINE, LAMP]}))
    page = browser.see("/orders/1/lines")
    changed = ("ChangeItems", {"items": [LINE, {"line": 2, "quantity": 4}]})
    desk.other(NOTE, changed)
    fields = fields_of(page, "/orders/1/lines").items()
    kept = {name: text for name, text in fields if ".1." not in name}
    late = desk.client.post("/orders/1/lines", data=kept)
    desk.work(late)
    seen = told(browser.fate(late))

    assert "Lines Lamp: 1 Lamp: 4 nothing" in seen
    assert "you removed \u201cLamp: 1\u201d, which was changed meanwhile" in seen


def test_pieces_that_came_back_meanwhile_are_told_and_what_was_counted_stays(
    desk: Desk, browser: Browser
) -> None:
    desk.other(SHIP)
    one_came_back = ("ReturnOrder", {"lines": [{"line": 1, "quantity": 1}]})
    typed = {"lines.0.quantity": "2"}
    page = browser.fate(desk.late("return", one_came_back, **typed))

    assert "Returned : 1 piece" in told(page)
    # Of the two that were there when it was opened, one is left.
    assert "RETRO-CLOCK 1" in told(page)
    assert re.search(r'name="lines.0.quantity" value="2"', page)
