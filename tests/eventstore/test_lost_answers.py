"""An answer that is lost is given up soon, and a slow one is waited for."""

import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from eventstore.session_errors import NoAnswer
from eventstore.sessions.looking import Nature
from eventstore.sessions.witness import Witness
from tasks.shop.connections import connect
from tests.support.engine import connect as connect_plain
from tests.support.lossy import LossyProxy
from tests.support.waiting import wait_until


@pytest.fixture
def proxy(database: str) -> Iterator[LossyProxy]:
    proxy = LossyProxy(database)
    yield proxy
    proxy.close()


def locks(connection: psycopg.Connection[Any], pid: int) -> int:
    row = connection.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = %s",
        (pid,),
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_a_lost_answer_is_given_up_and_its_session_ended(
    database: str, proxy: LossyProxy
) -> None:
    """The stream that it holds is free again, though nobody closed a socket there."""
    with connect(proxy.url, "worker") as session, connect_plain(database) as other:
        assert session.nature
        session.execute("SELECT pg_advisory_lock(1)")
        started = time.monotonic()
        with proxy.losing_answers(), pytest.raises(NoAnswer, match="is lost"):
            session.execute("SELECT pg_advisory_lock(2)")
        took = time.monotonic() - started
        print(f"given up after {took:.2f} s")
        pid = session.nature.pid
        wait_until(lambda: not locks(other, pid), "its locks are free", seconds=5)

    assert session.closed
    assert session.is_spent
    assert took < 5


def test_without_the_witness_a_lost_answer_is_waited_for(
    proxy: LossyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(proxy.url, "worker") as session:
        session.witness = None
        session.patience = 3.0
        started = time.monotonic()
        with proxy.losing_answers(), pytest.raises(NoAnswer, match="not answered for"):
            session.execute("SELECT 1")

    assert time.monotonic() - started > 3


def test_a_slow_answer_is_waited_for(
    proxy: LossyProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[bool] = []
    look = Witness.look

    def note(self: Witness, nature: Nature, silence: float) -> bool:
        found.append(look(self, nature, silence))
        return found[-1]

    monkeypatch.setattr(Witness, "look", note)
    with connect(proxy.url, "operator") as session:
        row = session.execute("SELECT pg_sleep(2.6), 7").fetchone()

    assert row is not None
    assert row[1] == 7
    assert found
    assert not any(found)


def test_no_statement_is_waited_for_beyond_its_limit(database: str) -> None:
    """Also where the server cannot be asked by another connection."""
    with connect(database, "worker") as session:
        assert session.patience == 23
    with connect(database, "operator") as session:
        assert session.patience is None
    url = sa.make_url(database).update_query_dict(
        {"options": "-c statement_timeout=1s"}
    )
    with connect(url) as session:
        assert session.patience == 4
