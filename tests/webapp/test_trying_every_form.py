"""Each form can be asked what it would do: it says so, and sends nothing."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import url_for
from flask.testing import FlaskClient

from domain.accounts.commands import Deposit, OpenAccount
from tasks import catch_up
from tasks.shop import wiring
from tasks.shop.wiring import Shop
from tests.support.command_histories import happen
from tests.support.databases import Databases
from tests.support.desk import add_clock, alice, cancel, pay, place, ship
from tests.support.settings import settings_for
from tests.support.unwritten import contents
from tests.support.visiting import (
    TYPED_CLOCKS,
    hidden_of,
    told_on,
    value_of,
)
from webapp import create_app
from webapp.forms.definitions import FORMS
from webapp.forms.form import Form

LINES = {"lines.0.line": "1", "lines.0.product": "RETRO-CLOCK", "lines.0.left": "2"}
ITEMS = {"items.0.line": "1", "items.0.product": "RETRO-CLOCK"}
CITY = {"address.street": "Am Markt 1", "address.city": "Bonn", "address.country": "D"}
PENDING, SHIPPED, CANCELLED, ON_ACCOUNT = (f"/orders/{n}" for n in (1, 2, 3, 4))
WAYS: dict[str, tuple[str, dict[str, str], str]] = {
    "PlaceOrder": ("/orders/new", TYPED_CLOCKS, "Order placed : 1 line, 25.00 EUR"),
    "ReceivePayment": (
        f"{PENDING}/payment",
        {"amount": "10.00"},
        "Payment received : 10.00 EUR",
    ),
    "ShipOrder": (
        f"{ON_ACCOUNT}/shipment",
        {"tracking_no": "1Z"},
        "Shipped , tracking number 1Z",
    ),
    "ShipParcel": (
        f"{ON_ACCOUNT}/parcel",
        {**LINES, "lines.0.quantity": "1", "tracking_no": "1Z"},
        "Parcel shipped : 1 piece, tracking number 1Z",
    ),
    "ConfirmDelivery": (f"{SHIPPED}/delivery", {}, "Delivered : arrived"),
    "RefundPayment": (
        f"{CANCELLED}/refund",
        {"amount": "108.99"},
        "Payment refunded : 108.99 EUR 108.99 EUR goes to account ALICE.",
    ),
    "ChangeItems": (
        f"{PENDING}/lines",
        {**ITEMS, "items.0.quantity": "5"},
        "Lines changed : 1 line, 247.50 EUR",
    ),
    "ChangeAddress": (
        f"{PENDING}/address",
        {**CITY, "customer_id": "ALICE"},
        "Address 12 Orchestra Terrace, London, UK Am Markt 1, Bonn, D",
    ),
    "AddNote": (
        f"{PENDING}/note",
        {"text": "Ring twice", "customer_id": "ALICE"},
        "Notes nothing 1 note: ",
    ),
    "CorrectTracking": (
        f"{SHIPPED}/tracking",
        {"parcel": "1", "tracking_no": "1Z-998"},
        "Tracking corrected , tracking number 1Z-998",
    ),
    "ReturnOrder": (
        f"{SHIPPED}/return",
        {**LINES, "lines.0.quantity": "1"},
        "Returned : 1 piece; it costs 59.49 EUR now",
    ),
    "VoidPayment": (
        f"{SHIPPED}/void",
        {"payment": "1"},
        "Payment taken back : 108.99 EUR",
    ),
    "PutOffCancellation": (
        f"{PENDING}/put_off",
        {"until": "2099-01-15"},
        "must be at most 10 years ahead",
    ),
    "CancelOrder": (f"{PENDING}/cancel", {"reason": "no"}, "Cancelled : no"),
    "RegisterCustomer": ("/customers/new", {"name": "Bob"}, "Registered at"),
    "ChangeCustomerDetails": (
        "/customers/ALICE/edit",
        {"name": "Alicia"},
        "Name Alice Alicia",
    ),
    "ForgetCustomer": (
        "/customers/ALICE/forget",
        {},
        "has 4 orders under way: 1, 2, 3, 4",
    ),
    "AddProduct": (
        "/products/new",
        {"name": "Lamp", "unit_price": "3.00"},
        "Product added : name Lamp, unit price 3.00 EUR",
    ),
    "ChangePrice": (
        "/products/RC-1/price",
        {"unit_price": "50.00"},
        "Unit price 49.50 EUR 50.00 EUR",
    ),
    "RenameProduct": ("/products/RC-1/name", {"name": "Clock"}, "RETRO-CLOCK Clock"),
    "DiscontinueProduct": ("/products/RC-1/ending", {}, "Product discontinued"),
    "OpenAccount": ("/accounts/new", {"account_id": "till"}, "Status open"),
    "Deposit": ("/accounts/A/deposit", {"amount": "1"}, "Balance 5.00 EUR 6.00 EUR"),
    "Withdraw": ("/accounts/A/withdrawal", {"amount": "9"}, "has 5.00 EUR"),
    "CloseAccount": ("/accounts/A/closing", {}, "It would be refused"),
    "TransferMoney": (
        "/transfers/new",
        {"from_account": "A", "to_account": "B", "amount": "2"},
        "Transfer requested : from account A, to account B, amount 2.00 EUR"
        " 2.00 EUR is paid out from account A.",
    ),
}
"""By command: where its form is, what is typed, and what a trial says of it."""
THINGS = {
    "order_id": 1,
    "customer_id": "ALICE",
    "account_id": "A",
    "product_id": "RC-1",
}


@pytest.fixture(scope="module")
def busy(databases: Databases) -> Iterator[Shop]:
    """A shop in which something can be done with everything; trials leave it so."""
    with databases.lend() as url, pytest.MonkeyPatch.context() as patch:
        patch.setattr("tasks.broker.publish.send", lambda *_: None)
        shop = Shop(replace(settings_for(url), unpaid_days=30))
        wiring.use(shop)
        shop.ensure_read_models()
        happen(
            shop,
            *(alice, add_clock, OpenAccount(account_id="A", currency="EUR")),
            *(Deposit(account_id="A", amount=500), place, place, place),
            replace(place, terms=14),
            *(replace(one, order_id=2) for one in (pay, ship)),
            *(replace(one, order_id=3) for one in (pay, cancel)),
        )
        catch_up.run(shop)
        yield shop
        shop.close()


@pytest.fixture
def visitor(busy: Shop) -> FlaskClient:
    wiring.use(busy)
    return create_app(busy).test_client()


def address_of(visitor: FlaskClient, form: Form) -> str:
    about: dict[str, Any] = {form.about: THINGS[form.about]} if form.about else {}
    with visitor.application.test_request_context():
        return url_for(form.endpoint, **about)


@pytest.mark.parametrize("name", FORMS)
def test_every_form_says_what_it_would_do_and_sends_nothing(
    busy: Shop, visitor: FlaskClient, name: str
) -> None:
    # Of one that is not told here yet, only that it can be asked.
    path, typed, says = WAYS.get(name) or (address_of(visitor, FORMS[name]), {}, "")
    form = visitor.get(path).text
    filled = {
        field: value_of(form, field) or ""
        for field in FORMS[name].fields
        if not field.startswith("address.")
    }
    with busy.lent() as connection:
        before = contents(connection)
    sent = {**hidden_of(form), **filled, **typed, "try": "1"}
    page = visitor.post(path, data=sent)
    with busy.lent() as connection:
        after = contents(connection)

    assert 'name="try"' in form
    assert says in told_on(page)
    assert after == before
    # What was typed, and its key, are still there.
    assert hidden_of(page.text)["key"] == hidden_of(form)["key"]
    unseen = {"text", "reason", "customer_id"}
    for field in typed.keys() & set(FORMS[name].fields) - unseen:
        assert value_of(page.text, field) == typed[field]
