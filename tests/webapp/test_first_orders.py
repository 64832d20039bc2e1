"""A new customer in the form of an order: one press registers and places."""

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from domain.customers.commands import ChangeCustomerDetails, ForgetCustomer
from domain.products.commands import AddProduct, DiscontinueProduct
from tasks import commands
from tasks.shop.wiring import Shop
from tests.support.logged_in import HERE, hidden_in, log_in, new_browser, person
from tests.support.money import Bank
from tests.support.users import bearing, token_of, user
from tests.support.visiting import (
    TYPED_CLOCKS,
    Browser,
    Send,
    Work,
    fields_of,
    hidden_of,
    told_on,
    value_of,
)

FORM = "/orders/new/first"
ANN = {
    **{name: text for name, text in TYPED_CLOCKS.items() if name != "customer_id"},
    "name": "Ann Ünal",
    "email": "ann@example.com",
    "phone": "0621-08460",
}
COMMAND = {
    "name": "Ann",
    "items": [{"product": "Clock", "quantity": 1, "unit_price": 100}],
    "address": {"street": "Obere Str. 57", "city": "Berlin", "country": "Germany"},
}


@pytest.fixture
def bank(shop: Shop) -> Bank:
    return Bank(shop)


def told(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def rows_of(shop: Shop, query: str) -> list[tuple[object, ...]]:
    with shop.lent() as connection:
        return connection.execute(query.encode()).fetchall()


def streams(shop: Shop) -> list[tuple[object, ...]]:
    return rows_of(shop, "SELECT stream_id, type FROM events ORDER BY id")


def test_one_press_registers_the_customer_and_places_the_order(
    browser: Browser, shop: Shop, bank: Bank
) -> None:
    sent = browser.send(FORM, **ANN)
    bank.work()
    page = told(browser.fate(sent))

    assert "Order 1 is placed Customer 1 is registered." in page
    assert "25.00 EUR" in page
    assert streams(shop) == [
        ("customer-1", "CustomerRegistered"),
        ("customer-1", "FirstOrderRequested"),
        ("order-1", "OrderCreated"),
    ]
    customer = told(browser.see("/customers/1"))
    assert "Ann Ünal" in customer
    assert "Obere Str. 57" in customer
    assert "Ann Ünal" in browser.see("/orders/1")


def test_the_history_of_a_customer_has_their_first_order_among_what_changed(
    browser: Browser, bank: Bank
) -> None:
    browser.send(FORM, **ANN)
    bank.work()
    bank.do(ChangeCustomerDetails(customer_id="1", name="Ann Ünal", phone="0621"))
    changed = told(browser.see("/customers/1"))
    bank.do(ForgetCustomer(customer_id="1"))
    forgotten = told(browser.see("/customers/1"))

    assert "First order requested" in changed
    # What a change is told against is the registration, which the order follows.
    assert "0621-08460 → 0621" in changed
    assert "First order requested" in forgotten


def test_until_the_order_is_placed_the_page_waits_for_it(
    browser: Browser, run: Work, bank: Bank
) -> None:
    sent = browser.send(FORM, **ANN)
    waiting = browser.fate(sent)
    run(sent)
    halfway = browser.fate(sent)
    bank.step()
    bank.work()

    assert "The order is being placed" in waiting
    assert "is registered" not in waiting
    assert "The order is being placed" in halfway
    assert "Customer 1 is registered." in told(halfway)
    # It asks for itself, not for the other command, which no user has sent.
    [address] = set(re.findall(r'hx-get="([^"]*)"', halfway))
    assert sent.headers["Location"].endswith(address)
    assert "hx-get" not in browser.fate(sent)


def test_pressed_twice_it_is_done_once(
    browser: Browser, client: FlaskClient, shop: Shop, bank: Bank
) -> None:
    form = {**hidden_of(browser.see(FORM)), **ANN}
    first, second = (client.post(FORM, data=form) for _ in range(2))
    bank.work()

    assert first.headers["Location"] == second.headers["Location"]
    assert len(streams(shop)) == 3


def test_an_address_of_somebody_elses_registers_nobody_and_places_nothing(
    browser: Browser, shop: Shop, send: Send, bank: Bank
) -> None:
    sent = browser.send(FORM, **ANN)
    # Not in the list yet, so it is not asked back: the rule decides.
    send("RegisterCustomer", {"name": "Other", "email": "ann@example.com"}, key="o")
    other = browser.send(FORM, **{**ANN, "name": "Second"})
    bank.work()
    page = browser.fate(other)

    assert "Order 1 is placed" in browser.fate(sent)
    assert "The order was not placed" in page
    assert "Another customer is registered with this e-mail address." in page
    assert [name for name, _ in streams(shop)] == ["customer-1"] * 2 + ["order-1"]
    for name, text in {**ANN, "name": "Second"}.items():
        if name != "items.0.own":
            assert value_of(page, name) == text


def test_an_order_that_is_refused_registers_nobody(
    browser: Browser, shop: Shop, bank: Bank
) -> None:
    bank.do(AddProduct(product_id="RC-1", name="Radio", unit_price=900, currency="EUR"))
    line = {"items.0.product": "Radio", "items.0.own": "", "items.0.unit_price": ""}
    # The list does not know yet, so the line is not asked back: the rule decides.
    commands.run(shop, bank.send(DiscontinueProduct(product_id="RC-1")))
    sent = browser.send(FORM, **{**ANN, **line})
    bank.work()

    assert "Product RC-1, Radio, is no longer sold." in browser.fate(sent)
    assert {name for name, _ in streams(shop)} == {"product-RC-1"}


def test_whose_order_is_refused_in_between_is_registered_and_the_page_says_both(
    browser: Browser, shop: Shop, run: Work, bank: Bank
) -> None:
    bank.do(AddProduct(product_id="RC-1", name="Radio", unit_price=900, currency="EUR"))
    line = {"items.0.product": "Radio", "items.0.own": "", "items.0.unit_price": ""}
    sent = browser.send(FORM, **{**ANN, **line})
    run(sent)
    bank.send(DiscontinueProduct(product_id="RC-1"))
    bank.step()
    bank.work()
    page = browser.fate(sent)

    assert "Customer 1 is registered, and the order is not placed." in told(page)
    assert "Product RC-1, Radio, is no longer sold." in page


def test_where_placing_fails_the_page_does_not_say_that_nothing_was_changed(
    browser: Browser, run: Work, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = browser.send(FORM, **ANN)
    run(sent)
    # The decision of the first command has a name of its own for it.
    monkeypatch.setattr("domain.orders.placing.place", lambda *_: 1 / 0)
    bank.step()
    bank.work()
    failed = told(browser.fate(sent))
    bank.abandon()
    abandoned = told(browser.fate(sent))

    assert "Something went wrong on our side." in failed
    assert "An operator of the shop has given it up." in abandoned
    for page in (failed, abandoned):
        assert "Customer 1 is registered, and the order is not placed." in page
        assert "othing was changed" not in page


def test_the_history_names_who_took_the_order(
    app: Flask, shop: Shop, bank: Bank
) -> None:
    person(shop, "bob", "sales")
    client = new_browser(app)
    log_in(client, "bob")
    form = hidden_in(client.get(FORM, base_url=HERE).text)
    sent = client.post(FORM, data={**form, **ANN}, base_url=HERE)
    bank.work()
    fate = client.get(sent.headers["Location"], base_url=HERE)

    assert "Order 1 is placed" in fate.text
    assert rows_of(shop, "SELECT DISTINCT metadata ->> 'actor' FROM events") == [
        ("bob",)
    ]
    # What it followed from stays known: the sender is the process, and so is its key.
    assert rows_of(
        shop, "SELECT principal FROM commands WHERE type = 'PlaceOrder'"
    ) == [("process:first_orders",)]


def test_who_may_place_orders_alone_registers_nobody(
    client: FlaskClient, shop: Shop
) -> None:
    user(shop, "carla", "sales")

    def answer(scope: str) -> TestResponse:
        token = bearing(token_of(shop, "carla", [scope]))
        return client.post(
            "/api/commands",
            json={"type": "PlaceFirstOrder", "data": COMMAND},
            headers={"Idempotency-Key": scope, **token},
        )

    assert answer("orders.place").status_code == 403
    assert answer("orders.place_first").status_code == 202


def test_every_fault_is_at_its_field(browser: Browser) -> None:
    page = browser.send(FORM, **{**ANN, "name": "", "email": "ann", "address.city": ""})

    assert page.status_code == 422
    assert "Name is missing." in unescape(page.text)
    assert "E-mail" in told(page.text)
    assert "City is missing." in unescape(page.text)
    assert value_of(page.text, "email") == "ann"
    assert value_of(page.text, "items.0.quantity") == "2"


def test_the_form_of_an_order_becomes_one_for_a_new_customer_and_keeps_all(
    browser: Browser, client: FlaskClient
) -> None:
    typed = {**TYPED_CLOCKS, "customer_id": "Ann Ünal", "freight": "4.90"}
    there = browser.send("/orders/new", **typed, new_customer="1").text
    back = client.post(
        FORM, data={**hidden_of(there), **typed, "name": "Ann", "known_customer": "1"}
    ).text

    assert f'action="{FORM}"' in there
    assert value_of(there, "name") == "Ann Ünal"
    for page in (there, back):
        assert value_of(page, "freight") == "4.90"
        assert value_of(page, "items.0.unit_price") == "12.50"
        assert value_of(page, "address.city") == "Berlin"
    assert 'action="/orders/new"' in back
    assert value_of(back, "customer_id") == "Ann"


def test_a_number_that_somebody_has_is_not_taken_for_a_new_name(
    browser: Browser, bob: str
) -> None:
    number = browser.send("/orders/new", customer_id=bob, new_customer="1").text
    name = browser.send("/orders/new", customer_id="Bob & Söhne", new_customer="1").text

    assert value_of(number, "name") == ""
    # Another of that name: it is asked back when the order is sent.
    assert value_of(name, "name") == "Bob & Söhne"


def test_who_looks_like_a_customer_is_asked_back(
    browser: Browser, client: FlaskClient, shop: Shop, bank: Bank, bob: str
) -> None:
    typed = {**ANN, "email": "BOB@example.com", "name": "bob & sohne"}
    typed["address.city"] = "Mannheim"
    page = browser.send(FORM, **typed)
    text = told(page.text)
    elsewhere = browser.send(FORM, **{**typed, "email": "", "address.city": "Bonn"})
    meant = client.post(
        FORM, data={**hidden_of(page.text), **typed, "email": "", "confirmed": "name"}
    )
    bank.work()

    assert page.status_code == 422
    assert "Name is also that of customer BOB, Bob & Söhne." in text
    assert "E-mail is also that of customer BOB, Bob & Söhne." in text
    assert elsewhere.status_code == 303
    assert meant.status_code == 303
    assert "is placed" in browser.fate(meant)


def test_back_at_a_new_customer_all_that_was_typed_of_them_is_there(
    browser: Browser, client: FlaskClient
) -> None:
    known = browser.send(FORM, **ANN, known_customer="1").text
    kept = {n: texts[0] for n, texts in fields_of(known).items() if n != "csrf_token"}
    order = {**TYPED_CLOCKS, "customer_id": "Ann Ünal"}
    again = client.post(
        "/orders/new", data={**hidden_of(known), **kept, **order, "new_customer": "1"}
    ).text

    for name in ("name", "email", "phone"):
        assert value_of(again, name) == ANN[name]


def test_back_at_a_known_customer_their_number_is_there(
    browser: Browser, client: FlaskClient, bob: str
) -> None:
    order = {**TYPED_CLOCKS, "customer_id": "BOB"}
    new = browser.send("/orders/new", **order, new_customer="1").text
    kept = {n: texts[0] for n, texts in fields_of(new).items() if n != "csrf_token"}
    typed = {**ANN, "name": "", "known_customer": "1"}
    back = client.post(FORM, data={**hidden_of(new), **kept, **typed}).text

    assert value_of(back, "customer_id") == "BOB"


def test_an_address_is_asked_back_also_where_many_are_like_it(
    browser: Browser, work: Work, send: Send
) -> None:
    names = {f"m{n}@example.com": f"Ann {n}" for n in range(21)}
    for email, name in {**names, "m@example.com": "Zoe"}.items():
        work(send("RegisterCustomer", {"name": name, "email": email}, key=email))
    page = browser.send(FORM, **{**ANN, "email": "M@example.com"})

    assert "E-mail is also that of customer 22, Zoe." in told(page.text)


def test_a_namesake_is_asked_back_also_where_many_names_begin_alike(
    browser: Browser, work: Work, send: Send
) -> None:
    names = {f"C{n}": f"Anna Li {n}" for n in range(21)}
    for number, name in {**names, "ZOE": "Anna Li", "SIGNS": "???"}.items():
        data = {"customer_id": number, "name": name, "address": COMMAND["address"]}
        work(send("RegisterCustomer", data, key=number))
    page = browser.send(FORM, **{**ANN, "name": "Anna Li"})
    signs = browser.send(FORM, **{**ANN, "name": "***"})

    assert "Name is also that of customer ZOE, Anna Li." in told(page.text)
    assert signs.status_code == 303


def test_who_may_not_see_customers_is_not_told_whose_the_address_is(
    client: FlaskClient, shop: Shop, bob: str
) -> None:
    user(shop, "carla", "sales")

    def answer(*scopes: str) -> str:
        token = bearing(token_of(shop, "carla", scopes))
        data = {**COMMAND, "email": "bob@example.com"}
        return client.post(
            "/api/commands",
            json={"type": "PlaceFirstOrder", "data": data},
            headers={"Idempotency-Key": "ann", **token},
        ).text

    assert "also that of a customer" in answer("orders.place_first")
    assert "also that of customer BOB" in answer("orders.place_first", "customers.read")


def test_a_trial_says_that_both_would_be_done(browser: Browser, shop: Shop) -> None:
    page = told_on(browser.send(FORM, **ANN, **{"try": "1"}))

    assert "Customer registered : name Ann Ünal" in page
    assert "First order requested : 1 line The order is placed then." in page
    assert not streams(shop)
