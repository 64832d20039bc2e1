"""All pages and all commands, asked by all roles, by nobody, and by no role."""

import re
from collections.abc import Mapping
from uuid import uuid4

import pytest
from flask import Flask

from domain.accounts.commands import Deposit, OpenAccount
from domain.products.commands import AddProduct
from domain.transfers.commands import TransferMoney
from eventstore.access.users import set_roles
from tasks import catch_up
from tasks.shop.permissions import (
    COMMANDS,
    MANAGE_USERS,
    MEANINGS,
    PERMISSIONS,
    ROLES,
    permissions_of,
)
from tasks.shop.wiring import Shop
from tests.support.desk import Do
from tests.support.logged_in import (
    BrowserClient,
    browser_of,
    forms_in,
    hidden_in,
    links_in,
    new_browser,
    person,
)
from tests.support.visiting import Place
from webapp.admission import ENTRANCE, FOR_ALL
from webapp.authorization import OWN
from webapp.forms.definitions import FORMS
from webapp.login.page_permissions import ANYBODY, PAGES

EUR = {"currency": "EUR"}
NO_ROLE = "nothing"
PEOPLE = (*ROLES, NO_ROLE)


@pytest.fixture
def filled(shop: Shop, do: Do, alice: str, place: Place) -> Shop:
    """A shop that has one of each thing, and several orders."""
    for status in ("pending", "paid", "shipped", "delivered", "cancelled"):
        place(status)
    do(
        AddProduct(product_id="RC-1", name="CLOCK", unit_price=1250, **EUR),
        OpenAccount(account_id="A1", **EUR),
        OpenAccount(account_id="A2", **EUR),
        Deposit(account_id="A1", amount=5000),
        TransferMoney(from_account="A1", to_account="A2", amount=500, **EUR),
    )
    catch_up.run(shop)
    return shop


ABOUT: Mapping[str, str] = {
    "order_id": "1",
    "customer_id": "ALICE",
    "product_id": "RC-1",
    "account_id": "A1",
    "transfer_id": "1",
    "position": "1",
    "name": "forbidden",
    "secret": "x",
    "what": "enable",
    "prefix": "0123456789ab",
}


def pages(app: Flask) -> dict[str, tuple[str, str]]:
    """Return a method and an address of each endpoint that is not of the API."""
    found = {}
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/api") and rule.endpoint not in FOR_ALL:
            method = "POST" if "POST" in (rule.methods or ()) else "GET"
            address = re.sub("<uuid:[^>]*>", str(uuid4()), rule.rule)
            address = re.sub(
                r"<(?:[^:>]*:)?(\w+)>", lambda match: ABOUT[match[1]], address
            )
            found[rule.endpoint] = method, address
    return found


def permissions(role: str) -> frozenset[str]:
    return permissions_of([role])


def may_open(endpoint: str, role: str) -> bool:
    wanted = PAGES[endpoint]
    return wanted in (ANYBODY, OWN) or wanted in permissions(role)


def test_every_page_has_a_rule_and_no_rule_is_without_its_page(app: Flask) -> None:
    assert set(PAGES) == set(pages(app)) - set(ENTRANCE)
    assert set(PAGES.values()) <= {ANYBODY, OWN} | PERMISSIONS


def test_every_permission_is_told_in_words_and_some_role_has_it() -> None:
    assert set(MEANINGS) == PERMISSIONS
    assert permissions_of(ROLES) == PERMISSIONS


def test_users_are_managed_by_the_role_that_the_database_asks_for() -> None:
    """`require_admin` of the database knows no other."""
    assert [name for name, may in ROLES.items() if MANAGE_USERS in may] == ["admin"]


@pytest.mark.parametrize("role", PEOPLE)
def test_a_role_opens_the_pages_of_its_permissions(
    app: Flask, shop: Shop, role: str
) -> None:
    browser = browser_of(app, shop, "ann", *([] if role == NO_ROLE else [role]))
    token = hidden_in(browser.get("/logout").text)

    answers = {}
    for endpoint, (method, address) in pages(app).items():
        if endpoint in ENTRANCE or endpoint == "login.end":
            continue
        data = token if method == "POST" else None
        answers[endpoint] = browser.open(address, method=method, data=data).status_code

    refused = {endpoint for endpoint, status in answers.items() if status == 403}
    assert refused == {one for one in answers if not may_open(one, role)}
    assert 401 not in answers.values()
    assert 500 not in answers.values()


def test_nobody_opens_any_page_without_a_session(app: Flask, shop: Shop) -> None:
    person(shop, "ann", "admin")
    browser = new_browser(app)

    for endpoint, (method, address) in pages(app).items():
        answer = browser.open(address, method=method)
        if endpoint in ("login.ask", "entrance.ask"):
            assert answer.status_code in (200, 302), endpoint
        elif endpoint in ("login.enter", "entrance.enter"):
            # Their forms have a token, and the printed address leads to the login.
            assert answer.status_code in (302, 403), endpoint
        else:
            assert answer.status_code == 401, endpoint
    assert browser.get("/nothing").status_code == 401


def test_a_page_without_a_rule_is_opened_by_nobody(app: Flask, shop: Shop) -> None:
    app.add_url_rule("/new", "new", lambda: "secret")
    browser = browser_of(app, shop, "ann", "admin")

    answer = browser.get("/new")
    assert answer.status_code == 403
    assert "secret" not in answer.text


def test_who_may_not_is_told_which_role_may(app: Flask, shop: Shop) -> None:
    page = browser_of(app, shop, "wim", "warehouse").get("/customers")

    assert page.status_code == 403
    assert "You are wim, and may not see customers." in page.text
    assert "the role admin, sales, bookkeeper or auditor may" in page.text


@pytest.mark.parametrize("role", PEOPLE)
def test_nothing_is_offered_that_would_be_refused(
    app: Flask, filled: Shop, role: str
) -> None:
    """Each link and each form on each page that can be reached from the first one."""
    browser = browser_of(app, filled, "ann", *([] if role == NO_ROLE else [role]))
    rules = app.url_map.bind("127.0.0.1:5000")
    to_do, seen, forms = ["/"], {"/"}, set()
    while to_do:
        address = to_do.pop()
        answer = browser.get(address, follow_redirects=True)
        # A copy of the past is being made; its page links to today alone.
        assert answer.status_code in (200, 202), address
        forms |= forms_in(answer.text)
        new = {one for one in links_in(answer.text) if is_new(one, seen)}
        seen |= {shape(one) for one in new}
        to_do += sorted(new)

    for address in forms:
        endpoint, _ = rules.match(address, method="POST")
        assert may_open(endpoint, role), address
    sent = {FORMS[name].endpoint for name in COMMANDS if name in FORMS}
    if role == "admin":
        offered = {rules.match(address, method="POST")[0] for address in forms}
        assert offered >= sent - NOT_ON_THESE_PAGES


NOT_ON_THESE_PAGES = {"accounts.closing", "orders.put_off", "orders.refund"}
"""Of an account that is empty, an order that will be cancelled, and one with credit."""


def is_new(address: str, seen: set[str]) -> bool:
    """Return whether such a page was not looked at yet; of values one is enough."""
    return not address.startswith("/static") and shape(address) not in seen


def shape(address: str) -> str:
    path, _, query = address.partition("?")
    return f"{path}?{re.sub('=[^&]*', '', query)}"


MANY = {"shipment": "orders.ship", "payment": "orders.pay", "cancel": "orders.cancel"}


@pytest.mark.parametrize("role", PEOPLE)
def test_what_is_done_with_many_orders_wants_the_permission_of_one(
    app: Flask, filled: Shop, role: str
) -> None:
    browser = browser_of(app, filled, "ann", *([] if role == NO_ROLE else [role]))
    token = {"csrf_token": hidden_in(browser.get("/logout").text)["csrf_token"]}
    offered = browser.get("/orders").text

    for action, permission in MANY.items():
        asked = browser.get(f"/orders/many?action={action}&order=1")
        sent = browser.post(
            "/orders/many",
            data={**token, "key": str(uuid4()), "action": action, "order": "1"},
        )
        may = permission in permissions(role)
        assert (asked.status_code == 200) is may
        assert (sent.status_code == 403) is not may
        assert (f'<option value="{action}">' in offered) is may


def test_the_first_page_is_one_that_a_role_may_open(app: Flask, shop: Shop) -> None:
    desk = browser_of(app, shop, "sue", "sales").get("/")
    led_on = browser_of(app, shop, "ned").get("/")

    assert (desk.status_code, "<h1>Desk</h1>" in desk.text) == (200, True)
    assert led_on.headers["Location"] == "/me"
    assert ">Desk</a>" not in browser_of(app, shop, "nil").get("/me").text


def test_a_role_that_is_taken_away_is_gone_at_once(app: Flask, shop: Shop) -> None:
    browser = browser_of(app, shop, "ann", "sales", "warehouse")
    assert browser.get("/customers").status_code == 200
    with shop.lent() as connection:
        set_roles(connection, "ann", ["warehouse"])
    app.extensions["sessions"].known.clear()

    assert browser.get("/customers").status_code == 403


def send_all(browser: BrowserClient, app: Flask) -> dict[str, int]:
    """Post an empty form of each command, and return the answers."""
    token = {"csrf_token": hidden_in(browser.get("/logout").text)["csrf_token"]}
    asked = pages(app)
    return {
        name: browser.post(
            asked[form.endpoint][1], data={**token, "key": str(uuid4()), "version": "1"}
        ).status_code
        for name, form in FORMS.items()
    }


@pytest.mark.parametrize("role", PEOPLE)
def test_a_role_sends_the_commands_of_its_permissions(
    app: Flask, filled: Shop, role: str
) -> None:
    browser = browser_of(app, filled, "ann", *([] if role == NO_ROLE else [role]))
    answers = send_all(browser, app)

    refused = {name for name, status in answers.items() if status == 403}
    assert refused == {n for n in FORMS if COMMANDS[n] not in permissions(role)}
    assert set(answers.values()) <= {303, 403, 422}
