"""A read model that somebody dropped is told by its name; the rest goes on."""

import logging

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask.testing import FlaskClient

from cli.rebuild import rebuild
from tasks.shop.wiring import Shop
from tests.support.visiting import (
    TYPED_CLOCKS,
    Browser,
    Place,
    assert_problem,
    value_of,
)


def drop(shop: Shop, what: str) -> None:
    with shop.engine.begin() as connection:
        connection.exec_driver_sql(f"DROP {what} CASCADE")


@pytest.mark.parametrize(
    "what", ["TABLE readmodels.order_list_g1", "VIEW readmodels.order_list"]
)
def test_a_dropped_list_is_named_with_its_cure(
    client: FlaskClient, shop: Shop, what: str
) -> None:
    drop(shop, what)
    page = client.get("/orders")
    problem = assert_problem(client.get("/api/orders"), 503, "read-model-missing")

    assert page.status_code == 503
    assert "was dropped" in page.text
    assert "recount rebuild order_list" in page.text
    assert "database is away" not in page.text
    assert problem["read_model"] == "order_list"
    assert "recount rebuild order_list" in problem["detail"]


def test_a_dropped_list_is_one_line_of_the_log(
    client: FlaskClient, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    drop(shop, "TABLE readmodels.order_list_g1")
    with caplog.at_level(logging.ERROR):
        client.get("/orders")

    assert caplog.messages == ["order_list is not there: recount rebuild order_list"]


def test_without_one_list_the_others_are_read(client: FlaskClient, shop: Shop) -> None:
    drop(shop, "TABLE readmodels.order_list_g1")

    assert client.get("/customers").status_code == 200
    assert client.get("/orders/new").status_code == 200


def test_a_list_that_was_never_made_is_no_dropped_one(
    client: FlaskClient, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    drop(shop, "TABLE readmodels.order_list_g1")
    with shop.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM generations"))

    assert_problem(client.get("/api/orders"), 503, "unavailable")
    assert caplog.messages == []


def test_a_form_is_sent_without_the_list_that_it_offers(
    browser: Browser, place: Place, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    of_the_list = {**TYPED_CLOCKS, "items.0.own": ""}
    drop(shop, "TABLE readmodels.products_g1")
    asked = browser.send("/orders/new", **of_the_list)
    sent = browser.send("/orders/new", **TYPED_CLOCKS)

    assert asked.status_code == 503
    assert "fill in their prices yourself" in asked.text
    assert value_of(asked.text, "items.0.product") == "RETRO-CLOCK"
    assert set(caplog.messages) == {"products is not there: recount rebuild products"}
    assert sent.status_code == 303


def test_the_cure_that_is_named_is_one(client: FlaskClient, shop: Shop) -> None:
    drop(shop, "TABLE readmodels.order_list_g1")
    cure = CliRunner().invoke(rebuild, ["order_list"])

    assert cure.exit_code == 0
    assert client.get("/orders").status_code == 200
