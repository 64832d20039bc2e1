"""Whatever keeps a read model from moving is shown, to everybody who sees its rows."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from cli.checkpoints import checkpoints
from cli.status import status
from tasks import catch_up, commands
from tasks.accept import accept
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, place
from tests.support.engine import connect
from tests.support.fence import INSERT
from tests.support.visiting import ask
from tests.support.waiting import wait_until
from tests.webapp.test_metrics import figures

EVENT = """
    INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
    SELECT '{stream}', 'PaymentReceived', {version}, '{data}',
        metadata || jsonb_build_object(
            'event_id', gen_random_uuid(), 'schema', '1.0'
        ), now()
    FROM events WHERE type = 'OrderCreated'
"""
REFUSAL = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'no' USING ERRCODE = '{state}';
    END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON readmodels.order_list_g1
    EXECUTE FUNCTION refuse()
"""


WAYS: dict[str, tuple[str, str]] = {
    "an event of a shape that nobody knows": (
        "event",
        (EVENT.format(stream="order-1", version=2, data='{"amount": "much"}')),
    ),
    "a bug in a fold": (
        "code",
        (
            EVENT.format(
                stream="order-99", version=1, data='{"amount": 1, "currency": "EUR"}'
            )
        ),
    ),
    "a table that was dropped": (
        "table",
        ("DROP TABLE readmodels.order_list_g1_customers"),
    ),
    "a right that was taken away": ("rights", (REFUSAL.format(state="42501"))),
    "a disk that is full": ("disk", (REFUSAL.format(state="53100"))),
    "a database that refuses": ("database", (REFUSAL.format(state="P0001"))),
    "a checkpoint ahead of the log": (
        "checkpoint",
        (
            "UPDATE subscriptions SET checkpoint = checkpoint + 1"
            " WHERE name = 'order_list_g1'"
        ),
    ),
    "a checkpoint that was taken away": (
        "missing",
        ("DELETE FROM subscriptions WHERE name = 'order_list_g1'"),
    ),
    "nobody who reads": ("idle", ""),
    "another definition": (
        "outdated",
        ("UPDATE generations SET shape = 'x' WHERE read_model = 'order_list'"),
    ),
}
"""The word that programs are told, and the statement that brings it about."""


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a reader stand still as soon as it has something to read."""
    now = timedelta(microseconds=1)
    monkeypatch.setattr("eventstore.subscriptions.standstill.AFTER", now)


def try_to_read(shop: Shop) -> None:
    # A full disk is told as a database that is away.
    with suppress(psycopg.OperationalError):
        catch_up.run(shop)


def happen(shop: Shop) -> None:
    """Have one more order placed, of which nobody has read yet."""
    accepted = accept(shop, place, key="one more", principal="staff")
    commands.run(shop, [accepted.command_id])


@pytest.fixture
def placed(shop: Shop, do: Do) -> int:
    """An order that all know of; the position of its event."""
    do(alice, place)
    return 2


def assert_shown(client: FlaskClient, because: str, name: str = "order_list") -> None:
    """Assert that everybody who sees its rows is told, with why, and that it is old."""
    answer = ask(client, "/api/orders")
    page = client.get("/orders").text
    told = CliRunner().invoke(status).output
    (line,) = [line for line in told.splitlines() if line.startswith(name)]
    found = figures(client)

    assert answer["behind"] > 0
    assert answer["stands_still_because"] == because
    assert "Some of this page is old." in page
    assert ", 0 behind" not in line
    # An operator is told of these in other words.
    if because not in ("missing", "outdated"):
        since = datetime.fromisoformat(answer["stands_still_since"])
        assert abs(datetime.now(UTC) - since) < timedelta(minutes=5)
        assert f"since {since:%Y-%m-%d %H:%M:%S}" in line
        assert found["recount_subscription_stopped", f"{name}_g1"] == 1
        age = found["recount_subscription_standstill_seconds", because, f"{name}_g1"]
        assert age >= 0


@pytest.mark.parametrize("way", WAYS)
def test_a_read_model_that_stands_still_is_shown_as_old(
    way: str, shop: Shop, client: FlaskClient, placed: int, at_once: None, do: Do
) -> None:
    because, statement = WAYS[way]
    with shop.lent() as connection:
        if statement:
            connection.execute(statement.encode())
    happen(shop)
    if way != "nobody who reads":
        try_to_read(shop)

    assert_shown(client, because)


def test_a_row_that_somebody_holds_is_shown(
    shop: Shop, client: FlaskClient, placed: int, at_once: None, do: Do
) -> None:
    with connect(shop.settings.database_url, autocommit=False) as holder:
        holder.execute("SELECT FROM subscriptions WHERE name ~ 'list' FOR UPDATE")
        do(place)
        assert_shown(client, "idle")


def test_a_writer_that_does_not_end_is_shown_for_what_it_is(
    shop: Shop, client: FlaskClient, placed: int, at_once: None, do: Do
) -> None:
    with connect(shop.settings.database_url, autocommit=False) as slow:
        slow.execute(INSERT, ("order-slow", 1))
        do(place)
        answer = ask(client, "/api/orders")
        page = client.get("/orders").text

    assert answer["behind"] > 0
    assert answer["stands_still_because"] == "held back"
    assert "an unfinished transaction holds them back" in page


def test_rows_that_are_new_are_shown_without_a_word(
    shop: Shop, client: FlaskClient, placed: int, at_once: None
) -> None:
    """However long ago the last of it was done."""
    answer = ask(client, "/api/orders")

    assert (answer["behind"], "stands_still_because" in answer) == (0, False)
    assert "is old" not in client.get("/orders").text
    assert "STANDS STILL" not in CliRunner().invoke(status).output


def test_what_is_being_read_does_not_stand_still(
    shop: Shop, client: FlaskClient, placed: int
) -> None:
    """It has a few seconds for what came in a moment ago."""
    happen(shop)

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
