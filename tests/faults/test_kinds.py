"""Each kind of fault finds something to break, and the desk gets well again."""

import random
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.faults.arming import When
from tests.faults.breaking import databases, steps, victims
from tests.faults.desk import Desk, open_desk
from tests.faults.kinds import KINDS, MISSED
from tests.faults.programs import OF_SHOP
from tests.support.client import client_of
from tests.support.waiting import wait_until

pytestmark = pytest.mark.races

KEPT = "SELECT count(*) FROM public.commands WHERE stream_id = :stream"
ACCOUNTS = ["N1", "N2", "N3", "N4"]
OF_DATABASES = [kind.name for kind in (*databases.KINDS, *steps.KINDS)]


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
            client.send("OpenAccount", {"account_id": name})
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
