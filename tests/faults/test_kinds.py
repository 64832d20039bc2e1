"""Each kind of fault finds something to break, and the desk gets well again."""

import random
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from embedded.logins import login_of
from tasks.shop.bad_setting import EX_CONFIG
from tests.faults.arming import When
from tests.faults.breaking import databases, poolers, steps, victims
from tests.faults.desk import Desk, open_desk
from tests.faults.kinds import KINDS, MISSED
from tests.faults.programs import OF_SHOP
from tests.support.client import Answer, Client, client_of
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

KEPT = "SELECT count(*) FROM public.commands WHERE stream_id = :stream"
WRITTEN = """
    SELECT (SELECT max(seq) FROM public.commands), (SELECT max(id) FROM public.events)
"""
# A pooler of ours tells the server no name of an application, the shop does.
SERVED = """
    SELECT usename, application_name = '' AS is_by_pooler FROM pg_stat_activity
    WHERE usename ~ '^recount_(web|worker|relay)_login$' GROUP BY 1, 2 ORDER BY 1
"""
ACCOUNTS = ["N1", "N2", "N3", "N4"]
OF_DATABASES = [kind.name for kind in (*databases.KINDS, *poolers.KINDS, *steps.KINDS)]


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    folder = Path(tempfile.mkdtemp(prefix="recount-"))
    with open_desk(folder, disk_megabytes=256) as desk:
        yield desk
    shutil.rmtree(folder)


@contextmanager
def work_under_way(desk: Desk) -> Iterator[None]:
    """Have a client send deposits and transfers, whatever it is answered."""
    is_over = threading.Event()
    chance = random.Random(7)

    def send() -> None:
        while not is_over.is_set():
            with (
                suppress(OSError, HTTPException),
                client_of(desk.address, desk.authorization) as client,
            ):
                while not is_over.wait(0.02):
                    source, target = chance.sample(ACCOUNTS, 2)
                    client.send("Deposit", {"account_id": source, "amount": 100})
                    client.send(
                        "TransferMoney",
                        {"from_account": source, "to_account": target, "amount": 1},
                    )
            is_over.wait(0.05)

    client = threading.Thread(target=send)
    client.start()
    try:
        yield
    finally:
        is_over.set()
        client.join()


def strike(desk: Desk, name: str) -> AbstractContextManager[str]:
    return KINDS[name].strike(desk, random.Random(7))


def open_account(client: Client, name: str) -> Answer:
    """Send it until it is accepted: who uses a session that has ended is told so."""
    answers: list[Answer] = []

    def is_accepted() -> bool:
        answers.append(client.send("OpenAccount", {"account_id": name}, key=name))
        return answers[-1].status == 202

    wait_until(is_accepted, "an account is accepted")
    return answers[-1]


def asked(desk: Desk, query: str) -> list[Any]:
    with desk.engine().connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(query))]


@pytest.mark.parametrize(("when", "is_known"), [("before", False), ("answered", True)])
def test_a_lost_answer_is_settled_by_asking_again(
    desk: Desk, when: When, is_known: bool
) -> None:
    """Whether it was committed or not, the web cannot know; the same key tells."""
    account = {"account_id": f"LOST-{when}"}
    with client_of(desk.address, desk.authorization) as client:
        with desk.proxy.armed("accept", when, "drop") as armed:
            first = client.send("OpenAccount", account, key=when)
            struck = desk.proxy.wait_for(armed, seconds=5)
        with desk.engine().connect() as connection:
            stream = {"stream": f"account-{account['account_id']}"}
            kept = connection.scalar(sa.text(KEPT), stream)
        second = client.send("OpenAccount", account, key=when)

        assert len(struck) == 1
        assert first.status == 503
        assert bool(kept) is is_known
        assert second.status == 202
        assert client.wait_for(second.command_id)["status"] == "succeeded"


def test_a_blow_at_somebody_who_does_not_run_is_missed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(victims, "PATIENCE", 0.0)
    desk.keeper.take_away("beat-1")
    wait_until(lambda: desk.keeper.leader("beat-1") is None, "beat has ended")
    with victims.killing(victims.every("beat"))(desk, random.Random(7)) as detail:
        desk.keeper.let_go("beat-1")

    assert detail.startswith(MISSED)


def test_a_pooler_that_shares_sessions_is_refused_until_it_is_gone(
    desk: Desk,
) -> None:
    relay = desk.keeper.child("relay-2")
    with client_of(desk.address, desk.authorization) as client:
        with strike(desk, "a pooler that shares sessions"):
            wait_until(
                lambda: client.call("GET", "/readyz")[1].get("database") == "unfit",
                "the web refuses it by name",
            )
            before = asked(desk, WRITTEN)
            first = client.send("OpenAccount", {"account_id": "SHARED"}, key="SHARED")
            desk.keeper.kill(relay.name)
            wait_until(lambda: relay.ended_with == EX_CONFIG, "one that starts ends")
            assert (first.status, asked(desk, WRITTEN)) == (503, before)

        desk.restore()
        second = open_account(client, "SHARED")
        assert client.wait_for(second.command_id)["status"] == "succeeded"


def test_through_a_pooler_that_keeps_sessions_everything_goes_on(desk: Desk) -> None:
    all_by_pooler = [(login_of(role), True) for role in ("relay", "web", "worker")]
    with (
        client_of(desk.address, desk.authorization) as client,
        strike(desk, "a pooler that keeps sessions"),
    ):
        sent = open_account(client, "KEPT")
        assert client.wait_for(sent.command_id)["status"] == "succeeded"
        wait_until(lambda: asked(desk, SERVED) == all_by_pooler, "all are served")

    desk.restore()
    assert not any(is_by_pooler for _, is_by_pooler in asked(desk, SERVED))


def some_of_each() -> list[str]:
    """Return three kinds for each of those whom a fault strikes, the same each time."""
    chance = random.Random(13)
    by_victim: dict[str, list[str]] = {}
    for kind in KINDS.values():
        by_victim.setdefault(kind.victim, []).append(kind.name)
    return [
        name
        for names in by_victim.values()
        for name in chance.sample(names, min(3, len(names)))
    ]


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(some_of_each(), id="some of each"),
        # All of them take some minutes.
        pytest.param(list(KINDS), id="all", marks=pytest.mark.long),
    ],
)
def test_every_kind_strikes_and_the_desk_recovers(desk: Desk, names: list[str]) -> None:
    with client_of(desk.address, desk.authorization) as client:
        for name in ACCOUNTS:
            open_account(client, name)
    chance = random.Random(7)
    missed = {}

    with work_under_way(desk):
        for kind in map(KINDS.__getitem__, names):
            if kind.needs(desk):
                continue
            with kind.strike(desk, chance) as detail:
                if detail.startswith(MISSED):
                    missed[kind.name] = detail
            if kind.name in OF_DATABASES:
                # The next one is to find a server that runs.
                desk.restore()
        desk.restore()

    assert missed == {}
    if len(names) == len(KINDS):
        assert desk.restarts >= len(OF_SHOP)
    with client_of(desk.address, desk.authorization) as client:
        for name in ACCOUNTS:
            sent = client.send("Deposit", {"account_id": name, "amount": 1})
            assert client.wait_for(sent.command_id)["status"] == "succeeded"
    wait_until(lambda: not desk.under_way(), "all that was accepted is final")
