"""Accepting many: one commit for a set, and each is answered by itself."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from eventstore.errors.refusals import is_of_the_data
from eventstore.journal.accept import (
    AcceptanceResult,
    PreparedCommand,
    accept_many,
    parse_accepted,
    prepare,
)
from eventstore.journal.pruning import prune
from tests.support.engine import COUNTERS, SECRET, Add, Engine, at_once
from tests.support.waiting import wait_until

add = Add(counter_id="clock", amount=5)


def ready(key: str, command: Add = add, principal: str = "alice") -> PreparedCommand:
    return prepare(
        command,
        decider=COUNTERS.all[0],
        principal=principal,
        key=key,
        secret=SECRET,
    )


def keys_in_order(engine: Engine, keys: Sequence[str]) -> list[str]:
    """Return *keys* in the order in which their commands were accepted."""
    rows = engine.connection.execute("SELECT id FROM commands ORDER BY seq").fetchall()
    by_id = {ready(key).command_id: key for key in keys}
    return [by_id[command_id] for (command_id,) in rows]


def test_all_of_a_set_are_promised_by_one_commit(engine: Engine) -> None:
    answers = accept_many(engine.connection, [ready(str(n)) for n in range(50)])

    assert all(answer.is_new and answer.is_promised for answer in answers)
    ((transactions, commands),) = engine.connection.execute(
        "SELECT count(DISTINCT xmin::text), count(*) FROM commands"
    ).fetchall()
    assert (transactions, commands) == (1, 50)


def test_they_are_accepted_in_their_order(engine: Engine) -> None:
    keys = [str(n) for n in range(50)]
    accept_many(engine.connection, [ready(key) for key in keys])

    assert keys_in_order(engine, keys) == keys


def test_numbers_are_drawn_in_order_and_only_for_what_is_new(engine: Engine) -> None:
    engine.connection.execute("CREATE SEQUENCE counter_numbers")
    some = [ready(str(n), Add(amount=5)) for n in range(3)]
    first = accept_many(engine.connection, [*some[:2], some[0]])
    again = accept_many(engine.connection, some)

    assert [a.stream_id for a in first] == ["counter-1", "counter-2", "counter-1"]
    assert [a.is_new for a in first] == [True, True, False]
    assert [a.stream_id for a in again] == ["counter-1", "counter-2", "counter-3"]


def test_what_the_database_cannot_store_is_refused_alone(engine: Engine) -> None:
    bad = ready("bad")._replace(data='{"note": "\\u0000"}')
    answers = accept_many(engine.connection, [ready("a"), bad, ready("b"), ready("c")])

    assert [answer.is_promised for answer in answers] == [True, False, True, True]
    assert answers[1].error is not None
    assert is_of_the_data(answers[1].error)


def test_a_set_that_breaks_off_in_its_halves_is_undone_as_a_whole(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = ready("bad")._replace(data='{"note": "\\u0000"}')

    def accepted_but_for_the_last(
        connection: Any, commands: Any
    ) -> list[AcceptanceResult]:
        if commands == [ready("c")]:
            raise psycopg.errors.LockNotAvailable
        return parse_accepted(connection, commands)

    monkeypatch.setattr(
        "eventstore.journal.accept.parse_accepted", accepted_but_for_the_last
    )
    with pytest.raises(psycopg.errors.LockNotAvailable):
        accept_many(engine.connection, [ready("a"), ready("b"), bad, ready("c")])

    assert keys_in_order(engine, []) == []


def test_what_is_pruned_meanwhile_is_new(engine: Engine) -> None:
    command_id = engine.accept(add, key="a")
    engine.drain(command_id)
    pruner, observer = engine.connect(autocommit=False), engine.connect()
    with ThreadPoolExecutor(1) as thread:
        assert sum(prune(pruner, datetime.now(UTC), by="olga")) == 1
        many = [ready("a"), ready("b")]
        sent = thread.submit(accept_many, engine.connection, many)
        wait_until(lambda: engine.is_waiting_for_a_lock(observer), "it waits")
        pruner.commit()
        answers = sent.result(10)

    assert [answer.is_new for answer in answers] == [True, True]


def test_the_principals_of_processes_are_not_a_clients(engine: Engine) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        accept_many(engine.connection, [ready("a", principal="process:transfer")])


def test_the_actor_is_whoever_has_sent_all_of_them(engine: Engine) -> None:
    forged = ready("a")._replace(metadata='{"actor": "process:transfers"}')

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="the actor"):
        accept_many(engine.connection, [ready("b"), forged])


def test_only_sequences_of_numbers_are_drawn_from(engine: Engine) -> None:
    log = ready("a", Add(amount=5))._replace(numbered_by="events_id_seq")

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        accept_many(engine.connection, [log])


def test_the_same_in_another_order_at_once_is_accepted_once(engine: Engine) -> None:
    commands = [ready(str(n)) for n in range(200)]

    def accept(order: Sequence[PreparedCommand]) -> Any:
        return lambda connection: accept_many(connection, order)

    found: list[list[AcceptanceResult]] = at_once(
        engine, accept(commands), accept(commands[::-1]), accept(commands)
    )

    assert sum(answer.is_new for answers in found for answer in answers) == 200
    assert all(answer.is_promised for answers in found for answer in answers)


def test_nothing_is_nothing(engine: Engine) -> None:
    assert accept_many(engine.connection, []) == []
