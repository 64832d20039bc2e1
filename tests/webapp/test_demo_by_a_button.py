"""An empty shop is filled with the demo by a button, through a worker."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tasks import catch_up
from tasks import demo as task
from tasks.broker import publish
from tasks.shop.demo.history.planning import DEFAULT_ORDERS
from tasks.shop.history_import import appending
from tasks.shop.history_import.preconditions import alone
from tasks.shop.wiring import Shop
from tests.support.databases import as_role
from tests.support.histories import read_log
from tests.support.logged_in import browser_of
from tests.support.settings import settings_for
from tests.support.visiting import Browser, Place


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks that are sent to workers; the test runs them itself."""
    tasks: list[str] = []
    monkeypatch.setattr(publish, "send", lambda name, *_: tasks.append(name))
    return tasks


def press(browser: Browser) -> str:
    """Press the button of the desk, and return the page that it leads to."""
    answer = browser.send("/demo", form="/")
    assert answer.status_code == 303, answer.text
    return browser.see(answer.headers["Location"])


def test_the_button_fills_an_empty_shop(
    browser: Browser, shop: Shop, sent: list[str]
) -> None:
    assert "Fill the shop with the demo" in browser.see("/")
    assert "a worker begins" in press(browser)
    assert sent == ["fill_with_demo"]

    task.run(shop)
    catch_up.run(shop)
    assert browser.client.get("/demo").headers["Location"] == "/"
    desk = browser.see("/")
    assert "This is Recount" not in desk
    assert "To be shipped" in desk
    assert str(DEFAULT_ORDERS) in browser.see("/orders")


def test_a_page_that_asks_again_is_led_to_the_desk_when_it_is_done(
    client: FlaskClient, shop: Shop
) -> None:
    waiting = client.get("/demo?asked=1", headers={"HX-Request": "true"})
    task.run(shop)
    done = client.get("/demo?asked=1", headers={"HX-Request": "true"})

    assert 'hx-trigger="every' in waiting.text
    assert "<html" not in waiting.text
    assert done.headers["HX-Redirect"] == "/"


def test_a_worker_has_the_rights_for_it(shop: Shop) -> None:
    worker = Shop(settings_for(as_role(shop.settings.database_url, "worker")))
    task.run(worker)
    worker.engine.dispose()

    assert len(read_log(shop.engine)) > DEFAULT_ORDERS


class Interruption(Exception):
    pass


def test_one_that_was_killed_is_completed_by_pressing_again(
    browser: Browser, shop: Shop, sent: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        whole = appending.append_missing

        def some(connection: Any, plan: Any, wanted: Any, *rest: Any) -> Iterator[int]:
            half = {place for place in wanted if place < len(plan.events) // 2}
            yield from whole(connection, plan, half, *rest)
            raise Interruption

        patched.setattr(task, "append_missing", some)
        with pytest.raises(Interruption):
            task.run(shop)

    half = len(read_log(shop.engine))
    stopped = browser.see("/demo")
    assert f"was stopped after {half:,} of" in stopped
    assert "hx-trigger" not in stopped
    answer = browser.send("/demo")
    assert answer.status_code == 303
    task.run(shop)

    assert len(read_log(shop.engine)) > half
    assert browser.client.get("/demo").headers["Location"] == "/"
    events = len(read_log(shop.engine))
    task.run(shop)
    assert len(read_log(shop.engine)) == events


def test_two_at_once_are_one(browser: Browser, shop: Shop) -> None:
    with shop.lent() as connection, alone(connection, tell=print):
        task.run(shop)
        page = browser.see("/demo")

    assert read_log(shop.engine) == []
    assert "Seven months are being invented" in page
    assert "Fill the shop" not in page


def test_a_shop_with_a_history_of_its_own_has_no_demo(
    browser: Browser, shop: Shop, place: Place, alice: str, sent: list[str]
) -> None:
    place()
    events = read_log(shop.engine)
    page = browser.see("/demo")
    answer = browser.send("/demo", form="/customers/new")
    task.run(shop)

    assert "this shop has a history of its own" in page
    assert answer.status_code == 409
    assert "this shop has a history of its own" in answer.text
    assert "fill_with_demo" not in sent
    assert read_log(shop.engine) == events


def test_the_button_is_for_admins(app: Flask, shop: Shop) -> None:
    assert "Fill the shop" in browser_of(app, shop, "ann", "admin").get("/").text
    sara = browser_of(app, shop, "sara", "sales")
    assert "Fill the shop" not in sara.get("/").text
    assert sara.get("/demo").status_code == 403
