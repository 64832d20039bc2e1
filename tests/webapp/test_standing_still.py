"""Whatever keeps a read model from moving is shown, to everybody who sees its rows."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from cli.checkpoints import checkpoints
from cli.status import status
from domain.accounts.commands import Deposit, OpenAccount
from domain.products.commands import AddProduct
from domain.transfers.commands import TransferMoney
from tasks import catch_up
from tasks.shop.wiring import Shop
from tests.support.databases import as_role
from tests.support.desk import Do, alice, place
from tests.support.local_client import stranger
from tests.support.past import fill_all
from tests.support.settings import settings_for
from tests.support.standing_still import LIST, REFUSAL, WAYS, Scene
from tests.support.told_everywhere import ask_all, line_of, without_age
from tests.support.visiting import Browser, ask
from tests.support.waiting import wait_until
from webapp.application import make_app
from webapp.forms.labels import STANDSTILLS
from webapp.past import making

NOT_SINCE = {"missing", "outdated"}
"""Of these it is not always known since when."""


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a reader stand still as soon as it has something to read."""
    now = timedelta(microseconds=1)
    monkeypatch.setattr("eventstore.subscriptions.standstill.AFTER", now)


@pytest.fixture
def placed(shop: Shop, do: Do) -> int:
    """An order that all know of; the position of its event."""
    do(alice, place)
    return 2


@pytest.fixture
def scene(
    shop: Shop, client: FlaskClient, placed: int, monkeypatch: pytest.MonkeyPatch
) -> Scene:
    return Scene(shop, client, monkeypatch)


@pytest.mark.parametrize("way", WAYS)
def test_a_read_model_that_stands_still_is_shown_as_old(
    way: str, scene: Scene, client: FlaskClient, at_once: None
) -> None:
    because, happens = WAYS[way]
    with happens(scene):
        told = ask_all(client)

    assert told.api["behind"] > 0
    assert told.api["stands_still_because"] == because
    assert "Some of this page is old." in told.page
    assert STANDSTILLS[because] in told.page

    line = line_of(told.status)
    assert without_age(line) == without_age(line_of(told.lag))
    assert ("pid " in line) == (because == "locked")
    if "set apart" in way:
        assert "set apart until " in line
    assert any(word in line for word in ("STANDS", "STOPPED", "OUTDATED", "NOT IN"))

    assert told.ready["status"] == "degraded"
    (found,) = [one for one in told.ready["standstills"] if one["subscription"] == LIST]
    assert found["because"] == because

    assert told.figures["recount_subscription_stopped", LIST] == 1
    assert ("recount_subscription_standstill_seconds", because, LIST) in told.figures

    if because in NOT_SINCE or told.api["stands_still_since"] is None:
        assert because in NOT_SINCE or "set back" in way
        return
    since = datetime.fromisoformat(told.api["stands_still_since"])
    assert abs(datetime.now(UTC) - since) < timedelta(minutes=65)
    assert f"since {since:%Y-%m-%d %H:%M:%S}" in line


def test_without_a_secret_only_that_it_is_degraded_is_told(
    scene: Scene, app: Flask, at_once: None
) -> None:
    """And by no other status: all webs would be taken out of service at once."""
    scene.order()
    told = stranger(app).get("/readyz")

    assert (told.status_code, told.text) == (200, "degraded\n")


def test_a_shop_whose_readers_have_read_all_is_not_degraded(
    client: FlaskClient, app: Flask, placed: int, at_once: None
) -> None:
    told = client.get("/readyz").get_json()

    assert (told["status"], told["standstills"], told["lag_seconds"]) == ("ok", [], 0)
    assert stranger(app).get("/readyz").text == "ok\n"


def test_a_web_that_may_not_look_at_the_readers_is_degraded(
    shop: Shop, placed: int
) -> None:
    with shop.lent() as connection:
        connection.execute("REVOKE SELECT ON subscriptions FROM recount_web")
    url = as_role(shop.settings.database_url, "web")
    web = replace(shop, settings=settings_for(url))
    told = make_app(web).test_client().get("/readyz")
    web.engine.dispose()

    assert (told.status_code, told.get_json()["status"]) == (200, "degraded")


ARGUMENTS = {
    "order_id": "1",
    "customer_id": "ALICE",
    "account_id": "A1",
    "transfer_id": "1",
    "product_id": "RC-1",
    "position": "5",
}
ENDINGS = {"why": "?column=status", "changes": "?from_position=1"}
PARAMETERS = {
    "search.everything": "?q=alice",
    "many.ask": "?action=shipment&order=1",
    "reasons.customer": "?column=name",
    "reasons.account": "?column=balance",
    "reasons.product": "?column=name",
    "reasons.statement_line": "?column=balance",
}
SHOW_NO_ROWS = {
    # What became of commands, from the journal.
    "many.fates",
    "demo.show",
    "customers.registration",
    "products.empty_product",
    "accounts.empty_account",
    "transfers.empty_transfer",
    "commands.fate",
    "entrance.ask",
    *("login.ask", "login.leave", "first_user.ask", "tokens.mine"),
    *("users.all_of_them", "users.me", "users.roles"),
    "problems.explanation",
    "health.alive",
    "health.ready",
    "metrics.metrics",
    "static",
}


def pages(app: Flask) -> Iterator[str]:
    """Yield the address of each page that shows rows of a read model."""
    for rule in app.url_map.iter_rules():
        is_page = "GET" in (rule.methods or ()) and "/api/" not in rule.rule
        is_page = is_page and not rule.rule.endswith(".csv")
        if is_page and rule.endpoint not in SHOW_NO_ROWS:
            built = rule.build({name: ARGUMENTS[name] for name in rule.arguments})
            assert built is not None
            ending = rule.rule.rpartition("/")[2]
            yield built[1] + PARAMETERS.get(rule.endpoint, ENDINGS.get(ending, ""))


def want_copies(
    scene: Scene, client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Make the copies of the past with which pages compare the live rows."""
    monkeypatch.setattr(making, "MAX_SECONDS_TO_WAIT", 0)
    for path in pages(app):
        if "/changes?" in path:
            assert client.get(path).status_code == 202
    with scene.shop.lent() as connection:
        fill_all(scene.shop, connection)


def test_every_page_that_shows_rows_says_that_they_are_old(
    scene: Scene,
    client: FlaskClient,
    app: Flask,
    do: Do,
    at_once: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    money = {"currency": "EUR"}
    do(AddProduct(product_id="RC-1", name="CLOCK", unit_price=1, **money))
    do(OpenAccount(account_id="A1", **money), OpenAccount(account_id="A2", **money))
    do(Deposit(account_id="A1", amount=50))
    do(TransferMoney(from_account="A1", to_account="A2", amount=5, **money))
    scene.order()
    want_copies(scene, client, app, monkeypatch)
    silent = {
        path: answer.status_code
        for path in pages(app)
        if "Some of this page is old." not in (answer := client.get(path)).text
    }

    assert silent == {}


def test_a_form_that_is_shown_again_says_so_too(
    scene: Scene, browser: Browser, at_once: None
) -> None:
    scene.order()
    page = browser.send("/orders/new", customer_id="ALICE", add_line="1").text

    assert "Some of this page is old." in page


def test_rows_that_are_new_are_shown_without_a_word(
    shop: Shop, client: FlaskClient, placed: int, at_once: None
) -> None:
    """However long ago the last of it was done."""
    answer = ask(client, "/api/orders")

    assert (answer["behind"], "stands_still_because" in answer) == (0, False)
    assert "is old" not in client.get("/orders").text
    assert "STANDS STILL" not in CliRunner().invoke(status).output


def test_what_is_being_read_does_not_stand_still(
    scene: Scene, client: FlaskClient
) -> None:
    """It has a few seconds for what came in a moment ago."""
    scene.order()

    assert "stands_still_because" not in ask(client, "/api/orders")


def test_it_is_told_no_more_when_it_goes_on(
    shop: Shop, client: FlaskClient, placed: int, at_once: None, do: Do
) -> None:
    with shop.lent() as connection:
        connection.execute(REFUSAL.format(state="42501").encode())
    do(place)
    before = ask(client, "/api/orders")
    with shop.lent() as connection:
        connection.execute("DROP FUNCTION refuse CASCADE")

    def is_current() -> bool:
        catch_up.run(shop)
        after = ask(client, "/api/orders")
        return not after["behind"] and "stands_still_because" not in after

    assert "stands_still_because" in before
    wait_until(is_current, "it is tried again")


def test_an_operator_sets_a_checkpoint_right(shop: Shop, placed: int, do: Do) -> None:
    with shop.lent() as connection:
        connection.execute(
            """
            UPDATE subscriptions SET checkpoint = checkpoint + 300
            WHERE name = 'process:transfers'
            """
        )
    do(place)
    told = CliRunner().invoke(status).output
    repaired = CliRunner().invoke(
        checkpoints, ["repair", "process:transfers", "--because", "a slip"]
    )
    catch_up.run(shop)

    assert "NOT IN THIS LOG" in told
    assert "recount checkpoints repair process:transfers" in told
    assert repaired.exit_code == 0, repaired.output
    assert "goes on behind position 2" in repaired.output
    assert "NOT IN THIS LOG" not in CliRunner().invoke(status).output


def test_a_reader_that_there_is_not_cannot_be_set_right(shop: Shop) -> None:
    refused = CliRunner().invoke(
        checkpoints, ["repair", "nobody", "--because", "a slip"]
    )

    assert refused.exit_code == 1
    assert "There is no reader nobody" in refused.output
