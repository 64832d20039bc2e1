"""A command that nobody can decide is told everywhere, and can be given up."""

from uuid import UUID

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from cli import commands as command_line
from cli.status import status
from domain.accounts.commands import Deposit, OpenAccount
from domain.orders.commands import ShipOrder
from domain.transfers.commands import TransferMoney
from eventstore.journal.entries import find
from tasks import catch_up, commands
from tasks.accept import accept
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, pay, place, ship
from tests.support.engine import connect
from tests.webapp.test_metrics import figures

UNKNOWN = """
    INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
    SELECT stream_id, '{type}', version + 1, '{data}',
        metadata || jsonb_build_object(
            'event_id', gen_random_uuid(), 'schema', '{schema}'
        ), now()
    FROM events WHERE stream_id = '{stream}' ORDER BY version DESC LIMIT 1
"""
SHAPES = {
    "a type that nobody knows": ("OrderGiftWrapped", "{}", "1.0"),
    "a shape of a later version": ("PaymentReceived", '{"amount": 1}', "7.0"),
    "a shape that does not fit": ("PaymentReceived", '{"amount": "much"}', "1.0"),
}


def forge(shop: Shop, stream: str, type_: str, data: str, schema: str) -> None:
    with shop.lent() as connection:
        connection.execute(
            UNKNOWN.format(stream=stream, type=type_, data=data, schema=schema).encode()
        )


def send(shop: Shop, command: object, key: str) -> UUID:
    command_id = accept(shop, command, key=key, principal="staff").command_id
    commands.run(shop, [command_id])
    return command_id


def status_of(shop: Shop, command_id: UUID) -> str:
    with shop.engine.connect() as connection:
        entry = find(connection, command_id)
    assert entry is not None
    return entry.status


def abandon(command_id: UUID) -> str:
    result = CliRunner().invoke(
        command_line, ["abandon", str(command_id), "--because", "no way", "--as", "o"]
    )
    return result.output


@pytest.fixture(params=SHAPES)
def stuck(request: pytest.FixtureRequest, shop: Shop, do: Do) -> list[UUID]:
    """Two commands to an order with an event that this code cannot read."""
    do(alice, place)
    forge(shop, "order-1", *SHAPES[request.param])
    first = send(shop, pay, "first")
    return [first, send(shop, ship, "second")]


def test_it_is_told_everywhere(
    shop: Shop, client: FlaskClient, stuck: list[UUID]
) -> None:
    told = CliRunner().invoke(status).output
    (line,) = [line for line in told.splitlines() if "CANNOT BE DECIDED" in line]
    page = client.get("/orders/1").text

    assert f"ReceivePayment {stuck[0]} of order-1, and 1 behind it" in line
    assert "upgrade" in line or "does not fit" in line
    assert "cannot be carried out at the moment" in page
    assert f"/commands/{stuck[0]}" in page
    assert figures(client)["recount_commands_undecided",] == 1


def test_of_other_orders_nothing_is_told(
    client: FlaskClient, stuck: list[UUID], do: Do
) -> None:
    do(place)

    assert "cannot be carried out at the moment" not in client.get("/orders/2").text


def test_an_operator_gives_up_what_waits_in_vain(shop: Shop, stuck: list[UUID]) -> None:
    for command_id in reversed(stuck):
        assert abandon(command_id) == f"{command_id} is abandoned.\n"
    commands.run(shop, stuck)

    assert [status_of(shop, c) for c in stuck] == ["abandoned"] * 2
    assert "CANNOT BE DECIDED" not in CliRunner().invoke(status).output


def test_what_waits_for_its_turn_is_not_given_up_by_a_slip(shop: Shop, do: Do) -> None:
    do(alice, place)
    command_id = accept(shop, pay, key="first", principal="staff").command_id

    assert "is accepted, not failed, nor waiting in a stream" in abandon(command_id)
    assert status_of(shop, command_id) == "accepted"


def test_who_gives_up_waits_for_who_decides(
    shop: Shop, do: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock of the stream is held meanwhile: nobody else can take it."""
    do(alice, place)
    forge(shop, "order-1", *SHAPES["a type that nobody knows"])
    first = send(shop, ShipOrder(order_id=1, tracking_no="1Z"), "first")
    with connect(shop.settings.database_url, autocommit=False) as holder:
        holder.execute(
            "SELECT pg_advisory_lock(lock_key(2, hashtextextended('order-1', 0)))"
        )
        with shop.lent() as connection:
            connection.execute("SET lock_timeout = '50ms'")
            with pytest.raises(Exception, match="lock timeout"):
                connection.execute(
                    "SELECT abandon_command(%s, 'o', 'no way')", (first,)
                )
            connection.execute("RESET lock_timeout")

    assert status_of(shop, first) == "accepted"
    assert abandon(first).endswith("is abandoned.\n")


def test_a_step_of_a_transfer_that_is_given_up_is_made_up_for(
    shop: Shop, do: Do
) -> None:
    """The receiver's account cannot be read, and is not: the sender's gets it back."""
    do(
        OpenAccount(account_id="A", currency="EUR"),
        OpenAccount(account_id="B", currency="EUR"),
        Deposit(account_id="A", amount=100),
    )
    forge(shop, "account-B", "AccountBlessed", "{}", "1.0")
    do(TransferMoney(from_account="A", to_account="B", amount=30, currency="EUR"))
    run_all(shop)
    (deposit,) = waiting(shop)
    said = abandon(deposit)
    run_all(shop)

    assert said.endswith("is abandoned.\n")
    with shop.lent() as connection:
        status_told = connection.execute("SELECT status FROM readmodels.transfers")
        balance = connection.execute(
            "SELECT balance FROM readmodels.accounts WHERE account_id = 'A'"
        )
        assert status_told.fetchall() == [("compensated",)]
        assert balance.fetchall() == [(100,)]


def waiting(shop: Shop) -> list[UUID]:
    with shop.lent() as connection:
        rows = connection.execute("SELECT id FROM commands WHERE status = 'accepted'")
        return [command_id for (command_id,) in rows]


def run_all(shop: Shop) -> None:
    """Run what waits and read on, until all has come to rest but what is stuck."""
    for _ in range(8):
        commands.run(shop, waiting(shop))
        catch_up.run(shop)
