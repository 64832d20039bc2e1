"""The checker: a sound history is sound, and each breach is called by its name."""

import ast
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import psycopg
import pytest

from tasks.shop.wiring import Shop
from tests.faults import checker
from tests.faults.answers import Attempt
from tests.faults.checker.folds import FOLDS
from tests.faults.history import History, live
from tests.faults.planted import PLANTED, STATEMENT
from tests.support.databases import ROOT, Databases
from tests.support.engine import connect
from tests.support.sending import Sender
from tests.support.settings import settings_for
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def history(databases: Databases) -> Iterator[History]:
    with (
        databases.lend() as url,
        pytest.MonkeyPatch.context() as patch,
        connect(url) as connection,
    ):
        shop = Shop(settings_for(url))
        shop.ensure_read_models()
        sender = Sender(shop)
        patch.setattr("tasks.broker.publish.send", lambda *_: None)
        live(sender)
        yield History(connection, sender.attempts, shop.deciders)
        shop.engine.dispose()


def test_a_sound_history_is_sound_and_all_of_it_was_looked_at(history: History) -> None:
    verdict = checker.check(history.connection, history.attempts)

    assert verdict.broken == {}
    assert verdict.is_sound
    assert [i for i, looked_at in verdict.checked.items() if not looked_at] == []
    assert set(verdict.outcomes) == {"succeeded", "rejected", "cancelled"}


def test_every_command_of_the_shop_and_every_read_model_is_known(
    history: History,
) -> None:
    views = history.connection.execute(
        "SELECT viewname FROM pg_views WHERE schemaname = 'readmodels'"
    )

    assert set(history.deciders.commands) == set(checker.effects.KINDS)
    assert {name for (name,) in views} == set(FOLDS)


def test_the_checker_knows_nothing_of_the_code() -> None:
    """It is not misled by a mistake that the code under test has made, too."""
    known = {"psycopg", "json", "collections", "dataclasses", "typing"}
    known |= {"collections.abc", "datetime"}
    own = ("tests.faults.answers", "tests.faults.checker")
    imported = {
        name
        for path in (ROOT / "tests/faults/checker").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [a.name for a in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert {n for n in imported if not n.startswith(own)} <= known


@pytest.fixture
def tables(history: History) -> Iterator[Callable[[str], None]]:
    """Change the tables by hand, as nothing but their owner can; undone afterwards."""
    connection = history.connection
    with connection.transaction(force_rollback=True):
        connection.execute(
            """
            ALTER TABLE events DISABLE TRIGGER USER;
            ALTER TABLE subscriptions DISABLE TRIGGER USER;
            """
        )
        ids = {a.type: history.id_of(a.type) for a in history.attempts}
        for number in (1, 2):
            ids[f"swapped_{number}"] = history.id_of("Deposit", amount=10 + number)
        yield lambda statements: run(connection, statements.format(**ids))


def run(connection: psycopg.Connection[Any], statements: str) -> None:
    connection.execute(statements.encode())


@pytest.mark.parametrize("what", PLANTED)
def test_each_breach_is_called_by_its_name_and_nothing_else_is(
    what: str, history: History, tables: Callable[[str], None]
) -> None:
    statements, expected = PLANTED[what]
    tables(statements)
    verdict = checker.check(history.connection, history.attempts)

    assert set(verdict.broken) == expected
    assert min(verdict.counts.values()) > 0


def test_two_effects_that_were_swapped_are_out_of_order(
    history: History, tables: Callable[[str], None]
) -> None:
    """The client's clock tells."""
    swapped = "metadata ->> 'command_id' IN ('{swapped_1}', '{swapped_2}')"
    tables(
        f"""
        UPDATE commands AS c SET position = other.position
        FROM commands AS other
        WHERE c.id IN ('{{swapped_1}}', '{{swapped_2}}')
            AND other.id IN ('{{swapped_1}}', '{{swapped_2}}') AND other.id <> c.id;
        UPDATE events AS e SET data = other.data, metadata = other.metadata
        FROM events AS other
        WHERE e.{swapped} AND other.{swapped} AND other.id <> e.id
        """
    )
    verdict = checker.check(history.connection, history.attempts)

    assert set(verdict.broken) == {checker.order.ORDER, STATEMENT}
    assert verdict.counts[checker.order.ORDER] == 1


Change = Callable[[list[Attempt]], None]


def answered_twice(attempts: list[Attempt]) -> None:
    attempts.append(replace_in(attempts[0], command_id=attempts[1].command_id))


def accepted_with_other_content(attempts: list[Attempt]) -> None:
    attempts[-1] = replace_in(
        attempts[-1], status=202, command_id=attempts[-2].command_id, problem=""
    )


def refused_for_the_same_content(attempts: list[Attempt]) -> None:
    attempts[-1] = replace_in(attempts[-1], data=attempts[-2].data)


def refused_and_yet_done(attempts: list[Attempt]) -> None:
    attempts[0] = replace_in(attempts[0], status=422, command_id=None)


def not_accepted_and_yet_done(attempts: list[Attempt]) -> None:
    attempts[0] = replace_in(
        attempts[0], status=503, command_id=None, problem="/problems/unavailable"
    )


def lines_turned_round(attempts: list[Attempt]) -> None:
    one, other = (i for i, attempt in enumerate(attempts) if attempt.batch)
    attempts[one], attempts[other] = attempts[other], attempts[one]


def promised_without_an_id(attempts: list[Attempt]) -> None:
    attempts.append(replace_in(attempts[0], key="nameless", command_id=None))


def answered_with_a_bug(attempts: list[Attempt]) -> None:
    attempts.append(replace_in(attempts[0], key="bug", status=500, command_id=None))


def replace_in(attempt: Attempt, **changes: Any) -> Attempt:
    return msgspec.structs.replace(attempt, **changes)


LOGS: dict[Change, set[str]] = {
    answered_twice: {checker.promises.ONE_ID},
    accepted_with_other_content: {checker.promises.SAME_KEY},
    refused_for_the_same_content: {checker.promises.SAME_KEY},
    refused_and_yet_done: {checker.promises.NO_MORE},
    not_accepted_and_yet_done: {checker.promises.NO_MORE},
    lines_turned_round: {checker.order.LINES},
    promised_without_an_id: {checker.promises.KEPT},
    answered_with_a_bug: {checker.promises.ANSWERS},
}


@pytest.mark.parametrize("change", LOGS)
def test_an_answer_that_breaks_the_promise_is_called_by_its_name(
    change: Change, history: History
) -> None:
    attempts = list(history.attempts)
    change(attempts)

    assert set(checker.check(history.connection, attempts).broken) == LOGS[change]


def test_a_command_whose_answer_was_lost_may_be_there_once(history: History) -> None:
    first, *others = history.attempts
    lost = replace_in(first, status=None, answered_at=None, command_id=None)

    assert checker.check(history.connection, [lost, *others]).is_sound


def test_a_command_whose_answer_was_lost_need_not_be_there(history: History) -> None:
    lost = replace_in(history.attempts[0], key="lost", status=None, command_id=None)

    assert checker.check(history.connection, [*history.attempts, lost]).is_sound


def test_a_watch_of_a_log_that_only_grows_finds_nothing(history: History) -> None:
    watching = checker.Watch(history.connection)
    watching.sample()
    watching.sample()
    verdict = watching.verdict()

    assert verdict.is_sound
    assert min(verdict.checked.values()) > 0


def test_a_watch_sees_a_checkpoint_go_back(
    history: History, tables: Callable[[str], None]
) -> None:
    watching = checker.Watch(history.connection)
    watching.sample()
    tables("UPDATE subscriptions SET checkpoint = 3 WHERE name = 'customers_g1'")
    watching.sample()

    assert watching.verdict().counts == {checker.watch.FORWARD: 1}


def kept_after_sample(watching: checker.Watch) -> bool:
    watching.sample()
    return bool(watching.kept)


def test_a_watch_sees_who_keeps_a_stream_and_stands_still(history: History) -> None:
    watching = checker.Watch(history.connection, patience=0.05)
    watching.sample()
    info = history.connection.info
    with psycopg.connect(info.dsn, password=info.password, autocommit=True) as still:
        still.execute("SELECT pg_try_advisory_lock(public.lock_key(2, 7))")
        # A lock of another kind is nobody's stream.
        still.execute("SELECT pg_try_advisory_lock(public.lock_key(0, 7))")
        wait_until(lambda: kept_after_sample(watching), "it is seen twice")

    assert watching.verdict().counts == {checker.watch.FREED: 1}


@pytest.mark.parametrize(
    "statements",
    [
        "UPDATE events SET data = data || '{{\"amount\": 3}}' WHERE id = 8",
        "DELETE FROM events WHERE id = 8",
        "UPDATE events SET occurred_at = occurred_at - interval '1 s' WHERE id = 8",
    ],
)
def test_a_watch_sees_that_a_stored_event_has_changed(
    statements: str, history: History, tables: Callable[[str], None]
) -> None:
    watching = checker.Watch(history.connection)
    watching.sample()
    tables(statements)

    assert watching.verdict().counts == {checker.watch.UNCHANGED: 1}
