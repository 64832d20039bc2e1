"""Somebody is forgotten: nothing personal is left, wherever one looks."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa

from domain.input import parse
from eventstore.aggregates.decider import Deciders
from eventstore.subscriptions.snapshot_taker import SnapshotPolicy
from tasks import catch_up, commands, snapshots
from tasks.accept import accept
from tasks.shop.wiring import Shop
from tests.support.client import Client, client_of
from tests.support.orders import order_for
from tests.support.processes import Processes
from tests.support.searching import count_hits, dump
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

# Each of them is nowhere but in what is personal, and has a letter that JSON escapes.
NAME = "Zoë Quillfeather"
CONTACT = "Xänthe Brock"
EMAIL = "zoe.quillfeather@example.org"
PHONE = "030-9988776"
STREET = "Löwengasse 41"
CITY = "Quedlinburg"
SECRETS = (NAME, CONTACT, EMAIL, PHONE, STREET, CITY)
# What stands in a note, and where an order goes that was to go elsewhere.
NEIGHBOUR = "Rüdiger Underhill"
OTHER_STREET = "Bärenweg 7"
ALL_SECRETS = (*SECRETS, NEIGHBOUR, OTHER_STREET)

ZOE = {
    "customer_id": "ZOE",
    "name": NAME,
    "email": EMAIL,
    "contact_name": CONTACT,
    "phone": PHONE,
    "address": {"street": STREET, "city": CITY, "country": "Germany"},
}
ORDER = order_for(
    "ZOE",
    address={"name": NAME, "street": STREET, "city": CITY, "country": "Germany"},
)


ABOUT = {"order_id": 2, "customer_id": "ZOE"}
NOTE = {**ABOUT, "text": f"{NAME} is away: {NEIGHBOUR} takes it"}
MOVE = {
    **ABOUT,
    "address": {"street": OTHER_STREET, "city": CITY, "country": "Germany"},
}


TABLES = ("public.events", "public.commands", "public.snapshots")


def found(text: bytes) -> set[str]:
    """Return which of the secrets stand in *text*, in any form."""
    return {secret for secret, hits in count_hits(text, ALL_SECRETS).items() if hits}


def settle(engine: sa.Engine) -> None:
    """Wait until every command is finished and the read models have seen it."""
    wait_until(
        lambda: (
            scalar(engine, "SELECT count(*) FROM commands WHERE status = 'accepted'")
            == 0
        ),
        "every command is finished",
    )
    wait_until(
        lambda: (
            scalar(
                engine,
                "SELECT count(*) FROM subscriptions, events"
                " WHERE name <> 'snapshots' AND checkpoint < id"
                " AND name IN (SELECT read_model || '_g' || live FROM generations)",
            )
            == 0
        ),
        "the read models are up to date",
    )


def scalar(engine: sa.Engine, query: str) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(sa.text(query)) or 0)


def live_through(client: Client, engine: sa.Engine) -> None:
    """Leave traces wherever the shop may: also of what was refused, and went wrong."""
    client.send("RegisterCustomer", ZOE)
    settle(engine)
    client.send("RegisterCustomer", ZOE)
    for number in range(1, 4):
        client.send("PlaceOrder", ORDER)
        client.send("ChangeCustomerDetails", {**ZOE, "phone": f"{PHONE}-{number}"})
    client.send("CancelOrder", {"order_id": 1, "reason": "Changed my mind"})
    client.send("AddNote", NOTE)
    client.send("ChangeAddress", MOVE)
    # No command at all: what is wrong with it is told, and not what it was.
    client.send("RegisterCustomer", {**ZOE, "email": f"{EMAIL} {NAME}"})
    client.send("RegisterCustomer", {**ZOE, "unknown": NAME})
    client.call("POST", "/api/commands", {"type": NAME, "data": ZOE})
    client.call("GET", "/api/customers?q=Quillfeather")


def rebuild(processes: Processes) -> None:
    subprocess.run(
        [sys.executable, "-m", "cli", "rebuild", "order_list"],
        cwd=processes.code,
        env=processes.environment,
        check=True,
        capture_output=True,
    )


@pytest.fixture
def shop_of_zoe(processes: Processes, engine: sa.Engine) -> str:
    processes.redis()
    processes.extra["SNAPSHOT_EVENTS"] = "2"
    processes.extra["SNAPSHOT_SECONDS"] = "0.5"
    address = processes.web()
    processes.worker()
    processes.beat()
    processes.relay()
    with client_of(address) as client:
        live_through(client, engine)
        settle(engine)
        wait_until(
            lambda: scalar(engine, "SELECT count(*) FROM snapshots") > 0,
            "a snapshot is taken",
        )
    # A generation that is kept for a way back has the names, too.
    rebuild(processes)
    return address


def test_nothing_personal_is_left_of_who_was_forgotten(
    processes: Processes,
    shop_of_zoe: str,
    engine: sa.Engine,
    database: str,
    folder: Path,
) -> None:
    before = {table: found(dump(database, "--table", table)) for table in TABLES}
    assert before == {table: set() for table in TABLES}
    assert found(dump(database, "--schema", "readmodels")) == {*ALL_SECRETS}
    orders = scalar(engine, "SELECT count(*) FROM readmodels.order_list")

    with client_of(shop_of_zoe) as client:
        # Orders of hers are under way: that is asked back, and meant.
        body = {"type": "ForgetCustomer", "data": {"customer_id": "ZOE"}}
        assert client.ask(body, "doubtful").status == 422
        assert client.ask(body | {"confirmed": ["customer_id"]}, "meant").status == 202
        settle(engine)
        # Who comes too late is refused, and leaves no trace either.
        client.send("ChangeCustomerDetails", ZOE)
        client.send("PlaceOrder", ORDER)
        client.send("AddNote", NOTE)
        client.send("ChangeAddress", MOVE)
        client.send("RegisterCustomer", ZOE)
        settle(engine)
        (zoe,) = client.get("/api/customers")["customers"]
    wait_until(lambda: has_nothing(database), "nothing is found in the database")

    broker = redis.Redis(unix_socket_path=str(folder / "redis.sock"))
    queued = b"".join(broker.dump(key) or b"" for key in broker.keys("*"))
    assert found(queued) == set()
    logs = b"".join(path.read_bytes() for path in folder.glob("*.log"))
    assert len(logs) > 1000
    assert found(logs) == set()
    assert scalar(engine, "SELECT count(*) FROM readmodels.order_list") == orders == 3
    assert (zoe["name"], zoe["is_forgotten"]) == ("(forgotten)", True)
    assert zoe["worth"] > 0


def has_nothing(database: str) -> bool:
    try:
        return found(dump(database)) == set()
    except subprocess.CalledProcessError:
        # A generation that was kept is dropped in this moment.
        return False


def test_without_encryption_the_same_search_finds_all_of_it_in_every_table(
    shop: Shop, database: str
) -> None:
    vars(shop)["deciders"] = Deciders(shop.slices, masters=None).keyed(b"a secret")
    shop.settings = replace(shop.settings, snapshot_policy=SnapshotPolicy(1))
    for number, (type_, data) in enumerate(
        [("RegisterCustomer", ZOE), ("PlaceOrder", {**ORDER, "currency": "EUR"})]
    ):
        command: Any = parse(shop.commands[type_], data)
        accepted = accept(shop, command, key=str(number), principal="staff")
        commands.run(shop, [accepted.command_id])
    catch_up.run(shop)
    snapshots.run(shop)

    for table in TABLES:
        assert found(dump(database, "--table", table)) == {*SECRETS}, table
    assert found(dump(database, "--schema", "readmodels")) == {*SECRETS}
