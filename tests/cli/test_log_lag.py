"""Whom the readers of the log wait for can be asked, and what to do is told with it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
import pytest
from click.testing import CliRunner

from cli import log
from cli.holders import LONG, NOTEWORTHY, is_long, line_of_waiting, remedy_for
from eventstore.log.fence import Holder
from tasks.shop.wiring import Shop
from tests.support.desk import Do, alice, place
from tests.support.engine import connect
from tests.support.fence import INSERT


def lag(*options: str) -> str:
    result = CliRunner().invoke(log, ["lag", *options])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def slow(shop: Shop, do: Do) -> Iterator[psycopg.Connection[Any]]:
    """A writer that has begun to append, and does not go on."""
    do(alice, place)
    with connect(shop.settings.database_url, autocommit=False) as slow:
        slow.execute("SET application_name = 'a \x1b[31mslow\x1b[0m writer'")
        slow.execute(INSERT, ("order-slow", 1))
        yield slow
        slow.rollback()


def holder(**parts: Any) -> Holder:
    told = {
        "floor": 1_728,
        "positions": 12,
        "pid": 4_711,
        "gid": None,
        "since": datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
        "seconds": 61.0,
        "application_name": "recount worker",
        "user": "recount",
        "state": "idle in transaction",
    }
    return Holder(**(told | parts))


def test_a_log_at_rest_keeps_nobody_waiting(shop: Shop, do: Do) -> None:
    do(alice, place)

    lines = lag().splitlines()

    assert lines[0] == "settled at 2, the last drawn is 2"
    assert "order_list_g1         at 2, 0 behind" in lines
    assert lines[-1] == "readers wait for nobody"


def test_who_holds_readers_back_is_told_with_what(
    slow: psycopg.Connection[Any],
) -> None:
    lines = lag().splitlines()

    assert lines[0] == "settled at 2, the last drawn is 3"
    assert lines[-1].startswith(f"  pid {slow.info.backend_pid} (")
    assert "idle in transaction, since 20" in lines[-1]
    assert lines[-1].endswith("holds back 1 behind 2")


def test_a_name_that_somebody_chose_cannot_order_the_terminal(
    slow: psycopg.Connection[Any],
) -> None:
    assert "\x1b" not in lag()


def test_programs_get_json(slow: psycopg.Connection[Any]) -> None:
    found = msgspec.json.decode(lag("--json"))

    assert (found["settled"], found["last_drawn"]) == (2, 3)
    names = [standing["name"] for standing in found["subscriptions"]]
    assert "order_list_g1" in names
    (told,) = found["holders"]
    assert (told["pid"], told["floor"]) == (slow.info.backend_pid, 2)


def test_a_session_that_was_forgotten_is_ended_by_its_pid() -> None:
    assert is_long(holder(seconds=LONG + 1))
    assert remedy_for(holder()) == (
        "end it by SELECT pg_terminate_backend(4711);"
        " idle_in_transaction_session_timeout would have done so"
    )


def test_one_that_is_at_work_is_not_called_idle() -> None:
    assert remedy_for(holder(state="active")) == (
        "end it by SELECT pg_terminate_backend(4711)"
    )


def test_a_prepared_transaction_is_ended_by_its_gid() -> None:
    assert remedy_for(holder(pid=None, gid="bob's", state="prepared")) == (
        "end it by COMMIT PREPARED 'bob''s' or ROLLBACK PREPARED 'bob''s'"
    )


def test_one_that_has_just_begun_is_not_long() -> None:
    assert not is_long(holder(seconds=0.2))
    assert not is_long(holder(since=None, seconds=None))


def test_status_says_in_a_line_that_readers_wait() -> None:
    told = line_of_waiting([holder(seconds=NOTEWORTHY / 2), holder(seconds=7.25)])

    assert told == (
        "readers wait for pid 4711 (recount worker) since 7.2 s, which holds back 12:"
        " recount log lag"
    )


def test_status_is_silent_about_an_append_of_everyday() -> None:
    assert line_of_waiting([holder(seconds=0.1), holder(seconds=None)]) is None
