"""A pooler that keeps a session for its client is used; another is refused by name."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from eventstore.session_errors import UnfitSession
from tasks.shop.connections import connect
from tests.support.lossy import LossyProxy
from tests.support.pgbouncer import pgbouncer, pgbouncer_program
from tests.support.pooler import Pooler

needs_pgbouncer = pytest.mark.skipif(
    pgbouncer_program() is None, reason="PgBouncer is not installed"
)
IGNORING = "ignore_startup_parameters = options"
SHARED = "such as PgBouncer .* lends one session to many clients"


@pytest.fixture
def sharing(database: str) -> Iterator[Pooler]:
    pooler = Pooler(database, "transaction", servers=2)
    yield pooler
    pooler.close()


def with_options(url: str, options: str) -> str:
    changed = sa.make_url(url).update_query_dict({"options": options})
    return changed.render_as_string(hide_password=False)


def test_a_pooler_that_shares_sessions_is_refused_by_name(
    sharing: Pooler,
) -> None:
    """Also where nobody else uses it, and each statement gets the same session."""
    with pytest.raises(UnfitSession, match=SHARED):
        connect(sharing.url)


def test_without_the_check_two_clients_hold_one_lock(
    sharing: Pooler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventstore.sessions.opening.is_pooled", lambda *_: False)
    lock = "SELECT pg_try_advisory_lock(1)"
    with connect(sharing.url) as first, connect(sharing.url) as second:
        # By turns they get both sessions of the pooler.
        taken = first.execute(lock).fetchone()
        first.execute("SELECT 1")
        also = second.execute(lock).fetchone()

    assert taken == also == (True,)


def test_a_session_that_is_lost_in_between_shows_nothing(
    sharing: Pooler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another client may have had it, and its end: that is no reason to go on."""
    end = "SELECT pg_terminate_backend(pg_backend_pid())"
    monkeypatch.setattr("eventstore.sessions.poolers.ASK", end)
    with pytest.raises(psycopg.errors.AdminShutdown):
        connect(sharing.url)


def test_a_session_that_is_kept_is_reset_and_lent_again(database: str) -> None:
    """By the one server that it has, it also shows that none is lost."""
    with closing(Pooler(database, "session", servers=1)) as pooler:
        with connect(pooler.url) as session:
            session.execute("SELECT pg_advisory_lock(1)")
            session.execute("SET work_mem = '7MB'")
            first = session.execute("SELECT pg_backend_pid()").fetchone()
            assert session.look().is_same
        # A plain connection, which is not tried: that would cost the session.
        plain = sa.make_url(pooler.url).set(drivername="postgresql")
        address = plain.render_as_string(hide_password=False)
        with psycopg.connect(address, autocommit=True) as other:
            second = other.execute("SELECT pg_backend_pid()").fetchone()
            found = other.execute(
                "SELECT count(*), current_setting('work_mem') FROM pg_locks"
                " WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
            ).fetchone()

    assert first == second
    assert found == (0, "4MB")


def test_a_pooler_that_shares_sessions_from_now_on_is_refused(
    database: str, tmp_path: Path
) -> None:
    """A process that has found it to keep them goes on by what it does now."""
    with (
        closing(Pooler(database, "session", servers=2, folder=tmp_path)) as keeping,
        connect(keeping.url) as session,
    ):
        assert session.look().is_same

    with (
        closing(Pooler(database, "transaction", servers=2, folder=tmp_path)) as pooler,
        pytest.raises(UnfitSession, match=SHARED),
    ):
        connect(pooler.url)


def test_a_proxy_that_passes_all_on_is_none(database: str) -> None:
    proxy = LossyProxy(database)
    with connect(proxy.url) as session:
        assert session.look().is_same
    proxy.close()


@needs_pgbouncer
@pytest.mark.parametrize(
    "settings",
    [
        (),
        ("pool_mode = session", IGNORING),
        ("pool_mode = session", "default_pool_size = 1"),
    ],
)
def test_pgbouncer_that_keeps_sessions_has_all_that_is_pinned(
    database: str, settings: tuple[str, ...]
) -> None:
    with (
        pgbouncer(database, *settings) as url,
        connect(with_options(url, "-c statement_timeout=7s"), "worker") as session,
    ):
        row = session.execute(
            "SELECT current_setting('statement_timeout'),"
            " current_setting('lock_timeout'), current_setting('TimeZone')"
        ).fetchone()

        assert row == ("7s", "3s", "UTC")
        assert session.look().is_same


@needs_pgbouncer
@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("more", ["", IGNORING])
def test_pgbouncer_that_shares_sessions_is_refused_by_name(
    database: str, mode: str, more: str
) -> None:
    with (
        pgbouncer(database, f"pool_mode = {mode}", more) as url,
        pytest.raises(UnfitSession, match=SHARED),
    ):
        connect(url)


@needs_pgbouncer
def test_pgbouncer_that_resets_nothing_is_refused_by_the_second(database: str) -> None:
    with pgbouncer(database, "server_reset_query =") as url:
        connect(url).close()
        with pytest.raises(UnfitSession, match="server_reset_query"):
            connect(url)


@needs_pgbouncer
def test_options_that_pgbouncer_refuses_are_named(database: str) -> None:
    with (
        pgbouncer(database) as url,
        pytest.raises(UnfitSession, match=r"PgBouncer .*options.*ignore_startup_p"),
    ):
        connect(with_options(url, "-c work_mem=8MB"))
