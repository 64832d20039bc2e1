"""Whether the process answers, and whether it can work."""

from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from eventstore.sessions import looking
from tasks.shop.settings import Settings
from tasks.shop.wiring import Shop
from tests.support.databases import Databases
from tests.support.visiting import Send
from webapp import create_app


def test_a_shop_with_its_database_is_ready(client: FlaskClient) -> None:
    assert client.get("/readyz").status_code == 200


def test_without_its_database_it_lives_and_is_not_ready(away: FlaskClient) -> None:
    ready = away.get("/readyz")

    assert away.get("/healthz").status_code == 200
    assert ready.status_code == 503
    assert ready.headers["Retry-After"] == "5"
    assert ready.json is not None
    assert ready.json["database"] == "away"


@pytest.mark.parametrize(
    ("revision", "schema"), [("0001", "not at head"), ("9999", "newer than this code")]
)
def test_with_another_schema_it_is_not_ready(
    client: FlaskClient, shop: Shop, revision: str, schema: str
) -> None:
    with shop.engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE alembic_version SET version_num = :revision"),
            {"revision": revision},
        )
    ready = client.get("/readyz")

    assert ready.status_code == 503
    assert ready.json is not None
    assert ready.json["schema"] == schema


def test_with_a_session_that_only_reads_it_is_not_ready_and_then_it_is(
    client: FlaskClient, shop: Shop
) -> None:
    """As after a failover that keeps connections: the next session is another one."""
    with shop.autocommitting.connect() as connection:
        connection.exec_driver_sql("SET default_transaction_read_only = on")
    first, second = client.get("/readyz"), client.get("/readyz")

    assert first.status_code == 503
    assert first.json is not None
    assert first.json["database"] == "read only"
    assert second.status_code == 200


def test_on_a_standby_it_is_not_ready(
    client: FlaskClient, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    standby = looking.PIN.replace("pg_catalog.pg_is_in_recovery()", "true")
    monkeypatch.setattr(looking, "PIN", standby)
    shop.engine.dispose()
    ready = client.get("/readyz")

    assert ready.status_code == 503
    assert ready.json is not None
    assert ready.json["database"] == "read only"


def test_a_command_is_accepted_again_after_one_that_could_not_be_written(
    shop: Shop, send: Send
) -> None:
    with shop.autocommitting.connect() as connection:
        connection.exec_driver_sql("SET default_transaction_read_only = on")
    account = {"account_id": "A1"}

    assert send("OpenAccount", account).status_code == 503
    assert send("OpenAccount", account).status_code == 202


def test_the_web_makes_the_list_where_nobody_has(settings: Settings) -> None:
    shop = Shop(settings)

    assert create_app(shop).test_client().get("/orders").status_code == 200
    shop.engine.dispose()


def test_a_database_that_is_being_set_up_asks_for_patience(
    databases: Databases, settings: Settings
) -> None:
    with databases.lend_empty() as url:
        shop = Shop(replace(settings, database_url=url))
        client = create_app(shop).test_client()

        assert client.get("/orders").status_code == 503
        assert client.get("/readyz").status_code == 503
        shop.engine.dispose()


def test_a_row_that_is_wrong_degrades_the_shop_while_its_generation_is_live(
    client: FlaskClient, shop: Shop
) -> None:
    with shop.lent() as connection:
        connection.execute(
            "INSERT INTO wrong_rows"
            " (read_model, place, key, generation, kind, columns, streams)"
            " VALUES ('order_list', 'table', '1', 1, 'changed', '{}', '{}')"
        )
    wrong = client.get("/readyz")
    with shop.lent() as connection:
        # As after a rebuild.
        connection.execute("UPDATE wrong_rows SET generation = 0")
    right = client.get("/readyz")

    assert wrong.json is not None
    assert (wrong.json["status"], wrong.json["wrong_rows"]) == ("degraded", 1)
    assert right.json is not None
    assert right.json["status"] == "ok"
    assert "wrong_rows" not in right.json
