"""What a worker does ahead of its messages."""

import json
import os
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NoReturn
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from celery.exceptions import SoftTimeLimitExceeded

from domain.accounts.commands import OpenAccount
from eventstore.journal.drain import drain
from eventstore.journal.finishing import DrainResult
from tasks import commands
from tasks.accept import accept
from tasks.consumer import is_done
from tasks.shop import wiring
from tasks.shop.deciders import ACCOUNTS
from tasks.shop.prefetch import MAX_AHEAD, PrefetchWindow, RecentlyFinished
from tasks.shop.wiring import Shop

QUICK, SLOW = 0.01, 0.2


def open_accounts(shop: Shop, count: int) -> list[UUID]:
    return [
        accept(
            shop,
            OpenAccount(account_id=f"A{number}", currency="EUR"),
            key=str(number),
            principal="staff",
        ).command_id
        for number in range(count)
    ]


def test_as_long_as_it_goes_quickly_more_are_taken_along() -> None:
    pace = PrefetchWindow()
    taken = []
    for _ in range(7):
        taken.append(pace.ahead)
        pace.note(QUICK)

    assert taken == [0, 1, 3, 7, 15, MAX_AHEAD, MAX_AHEAD]


def test_where_commands_take_long_each_goes_by_itself() -> None:
    pace = PrefetchWindow(ahead=MAX_AHEAD)
    for _ in range(3):
        pace.note(SLOW)

    assert pace.ahead == 0


def test_of_two_with_the_same_place_the_last_is_remembered() -> None:
    done = RecentlyFinished(places=10)
    first, other, last = (UUID(int=number) for number in (7, 8, 17))
    for command_id in (first, other, last):
        done.add(command_id)

    assert [one in done for one in (first, other, last)] == [False, True, True]


def test_what_one_process_of_a_worker_has_done_is_known_to_all() -> None:
    done = RecentlyFinished()
    command_id = uuid4()
    child = os.fork()
    if child == 0:
        done.add(command_id)
        os._exit(0)
    os.waitpid(child, 0)

    assert command_id in done


def test_what_was_done_is_remembered_for_a_while() -> None:
    now = 1000.0
    done = RecentlyFinished(seconds=60, clock=lambda: now)
    command_id = uuid4()
    done.add(command_id)
    now = 1059.0
    assert command_id in done

    now = 1061.0
    assert command_id not in done


@pytest.mark.parametrize(
    "payload",
    [
        [["5ab1ec0d-0000-4000-8000-000000000001"], {}, {}],
        [[["5ab1ec0d-0000-4000-8000-000000000001"]], {}, {}],
        [[], {}, {}],
        [[7], {}, {}],
        [[["no id"]], {}, {}],
        [[[None]], {}, {}],
        [[["{0}", "5ab1ec0d-0000-4000-8000-000000000001"]], {}, {}],
        {"args": []},
        7,
        None,
    ],
)
def test_a_message_that_names_what_is_not_done_goes_to_a_task(
    shop: Shop, payload: object
) -> None:
    done = uuid4()
    shop.done.add(done)
    written = json.dumps(payload).replace("{0}", str(done))

    assert not is_done(SimpleNamespace(payload=json.loads(written)))
    assert is_done(SimpleNamespace(payload=[[[str(done)]], {}, {}]))


def status_of(shop: Shop, command_id: UUID) -> str:
    query = sa.text("SELECT status FROM commands WHERE id = :id")
    with shop.engine.connect() as connection:
        return str(connection.scalar(query, {"id": command_id}))


def test_a_message_for_what_was_taken_along_asks_the_database_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = open_accounts(shop, 3)
    shop.pace.ahead = 1
    commands.execute([str(ids[0])])
    asked: list[object] = []
    monkeypatch.setattr(commands, "run", lambda *given, **_: asked.append(given))
    commands.execute([str(ids[1])])

    assert [status_of(shop, one) for one in ids] == [
        "succeeded",
        "succeeded",
        "accepted",
    ]
    assert asked == []


def test_a_message_for_many_is_run_whole_however_far_ahead_it_would_look(
    shop: Shop,
) -> None:
    """As a batch sends it, while single commands go with those behind them."""
    ids = open_accounts(shop, 6)
    shop.pace.ahead = 2
    commands.execute([str(one) for one in (ids[0], ids[3], ids[5])])

    statuses = [status_of(shop, one) for one in ids]
    assert [statuses[place] for place in (0, 3, 5)] == ["succeeded"] * 3
    assert [statuses[place] for place in (1, 2, 4)] == ["accepted"] * 3


def test_after_an_error_the_next_command_goes_by_itself(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.pace.ahead = MAX_AHEAD

    def interrupted(*arguments: Any, ahead: int) -> DrainResult:
        if ahead:
            raise SoftTimeLimitExceeded
        return drain(*arguments)

    monkeypatch.setattr(commands, "drain", interrupted)
    ids = open_accounts(shop, 2)
    with pytest.raises(SoftTimeLimitExceeded):
        commands.execute([str(ids[0])])
    commands.execute([str(ids[1])])

    assert status_of(shop, ids[1]) == "succeeded"


def test_one_that_failed_is_run_again_when_an_operator_says_so(shop: Shop) -> None:
    def broken(*_: object) -> NoReturn:
        raise ZeroDivisionError

    failing = Shop(shop.settings, slices=[replace(ACCOUNTS, decide=broken)])
    wiring.use(failing)
    (command_id,) = open_accounts(shop, 1)
    commands.execute([str(command_id)])

    assert status_of(shop, command_id) == "failed"
    assert command_id not in failing.done
    failing.engine.dispose()


def test_the_relay_takes_nobody_along_whose_message_is_on_its_way(shop: Shop) -> None:
    ids = open_accounts(shop, 2)
    shop.pace.ahead = MAX_AHEAD
    commands.run(shop, ids[:1], ran_by="relay")

    assert [status_of(shop, one) for one in ids] == ["succeeded", "accepted"]
