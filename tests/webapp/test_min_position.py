"""Reading what one has just written: by `min_position`, and on pages without it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from tasks import catch_up
from tasks.shop.wiring import Shop
from tests.support.visiting import (
    CLOCKS,
    TYPED_CLOCKS,
    Browser,
    Send,
    Work,
    ask,
)

EVERY_QUERY = [
    "/api/orders",
    "/api/orders/1",
    "/api/customers",
    "/api/customers/ALICE",
    "/api/products",
    "/api/ordered-products",
    "/api/figures",
]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for long."""
    monkeypatch.setattr("webapp.position_asked.MAX_SECONDS_TO_WAIT", 0.05)


@contextmanager
def caught_up_later(shop: Shop) -> Iterator[None]:
    """Let somebody catch up a moment after we have begun to wait."""
    timer = threading.Timer(0.1, catch_up.run, [shop])
    timer.start()
    try:
        yield
    finally:
        timer.join()


def position_of(client: FlaskClient, command: str) -> int:
    return int(ask(client, command)["position"])


@pytest.fixture
def ordered(browser: Browser, run: Work, alice: str) -> None:
    """The browser has placed an order, which no read model knows of yet."""
    sent = browser.send("/orders/new", **TYPED_CLOCKS)
    run(sent)
    browser.fate(sent)


@pytest.fixture
def placed(client: FlaskClient, send: Send, run: Work, alice: str) -> int:
    """The position of an order that no read model knows of yet."""
    answer = send("PlaceOrder", CLOCKS)
    run(answer)
    return position_of(client, answer.headers["Location"])


def test_who_asks_for_a_position_gets_what_is_there_by_then(
    shop: Shop, client: FlaskClient, placed: int
) -> None:
    with caught_up_later(shop):
        answer = ask(client, f"/api/orders?min_position={placed}")

    assert [order["order_id"] for order in answer["orders"]] == [1]
    assert answer["position"] >= placed
    assert answer["behind"] == 0


def test_after_the_time_is_up_the_answer_tells_how_far_it_is_behind(
    impatient: None, client: FlaskClient, placed: int
) -> None:
    answer = ask(client, f"/api/orders?min_position={placed}")

    assert answer["orders"] == []
    assert answer["behind"] == placed - answer["position"] > 0


def test_a_position_beyond_the_log_is_not_waited_for(
    client: FlaskClient, placed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.position_asked.MAX_SECONDS_TO_WAIT", 60)
    answer = ask(client, f"/api/orders?min_position={2**63 - 1}")

    assert answer["behind"] == 2**63 - 1 - answer["position"]


def test_a_read_model_that_has_stopped_is_not_waited_for(
    shop: Shop, client: FlaskClient, placed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.position_asked.MAX_SECONDS_TO_WAIT", 60)
    with shop.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE subscriptions SET stopped_at_position = :position"),
            {"position": placed},
        )

    assert ask(client, f"/api/orders?min_position={placed}")["behind"] > 0


@pytest.mark.parametrize("path", EVERY_QUERY)
def test_every_query_tells_where_it_stands(
    shop: Shop, client: FlaskClient, placed: int, path: str
) -> None:
    with caught_up_later(shop):
        answer = ask(client, f"{path}?min_position={placed}")

    assert answer["position"] >= placed
    assert answer["behind"] == 0


@pytest.mark.parametrize("garbage", ["x", "-1", "", "1e3", str(2**63), "9" * 400])
def test_garbage_is_refused(client: FlaskClient, garbage: str) -> None:
    pages = ["/orders", "/orders/1", "/customers", "/customers/ALICE"]
    for path in [*EVERY_QUERY, *pages]:
        assert client.get(f"{path}?min_position={garbage}").status_code == 400, path


def test_an_order_that_is_not_to_be_seen_yet_says_so(
    impatient: None, client: FlaskClient, placed: int
) -> None:
    as_json = client.get(f"/api/orders/1?min_position={placed}")
    page = client.get(f"/orders/1?min_position={placed}")

    assert as_json.status_code == page.status_code == 404
    assert as_json.get_json(force=True)["behind"] > 0
    assert "There is no order 1 yet." in page.text
    assert "Try again" in page.text


def test_who_has_just_placed_an_order_sees_it_in_the_list_at_once(
    shop: Shop, browser: Browser, ordered: None
) -> None:
    with caught_up_later(shop):
        page = browser.see("/orders")

    assert 'href="/orders/1"' in page
    assert "does not show everything yet" not in page


def test_a_page_that_lags_says_so_and_does_not_wait_for_ever(
    impatient: None,
    shop: Shop,
    browser: Browser,
    ordered: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fresh = browser.see("/orders")
    monkeypatch.setattr("webapp.position_asked.FRESH", 0)
    monkeypatch.setattr("webapp.position_asked.MAX_SECONDS_TO_WAIT", 60)
    later = browser.see("/orders")
    monkeypatch.setattr("webapp.position_asked.REMEMBERED", 0)
    long_after = browser.see("/orders")

    assert "does not show everything yet" in fresh
    assert "does not show everything yet" in later
    assert "does not show everything yet" not in long_after


def test_somebody_else_s_browser_waits_for_nothing(
    shop: Shop, browser: Browser, ordered: None
) -> None:
    other = Browser(browser.client.application.test_client())

    assert "does not show everything yet" not in other.see("/orders")


def test_a_browser_s_position_counts_for_no_program(
    impatient: None, browser: Browser, client: FlaskClient, ordered: None
) -> None:

    assert ask(client, "/api/orders")["behind"] == 0


def test_who_asks_for_less_than_he_has_done_gets_all_of_it(
    shop: Shop, browser: Browser, ordered: None
) -> None:
    with caught_up_later(shop):
        page = browser.see("/orders?min_position=1")

    assert 'href="/orders/1"' in page


@pytest.mark.parametrize("token", ["", "kept"])
def test_a_form_that_was_sent_asks_for_no_position(
    browser: Browser, client: FlaskClient, token: str
) -> None:
    path = "/orders/new?min_position=garbage"
    typed = {"customer_id": "ALICE", "add_line": "1"}
    if token:
        answer = browser.send(path, form="/orders/new", **typed)
    else:
        answer = client.post(path, data=typed)

    assert answer.status_code == (200 if token else 403)
    assert 'value="ALICE"' in answer.text


def test_a_form_that_was_sent_is_not_offered_to_be_looked_at_again(
    impatient: None, browser: Browser, ordered: None
) -> None:
    """The link would lead to an empty form, and lose what was typed."""
    page = browser.send("/orders/new", customer_id="ALICE", add_line="1").text

    assert "Look again" not in page
    assert "Look again" in browser.see("/orders")


def test_a_position_of_another_log_is_forgotten(
    shop: Shop, browser: Browser, client: FlaskClient, placed: int
) -> None:
    """A backup was restored, and the browser remembers what came after it."""
    with client.session_transaction() as session:
        session["done"] = [10**6, time.time()]
    with caught_up_later(shop):
        page = browser.see(f"/orders/1?min_position={placed}")

    assert "behind" not in page
    with client.session_transaction() as session:
        assert "done" not in session
