"""A pooler that keeps a session for its client is used; another is refused by name."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from eventstore.session_errors import UnfitSession
from tasks.shop.connections import connect
from tests.support.lossy import LossyProxy
from tests.support.poolers import SharingPooler, pgbouncer, pgbouncer_program

needs_pgbouncer = pytest.mark.skipif(
    pgbouncer_program() is None, reason="PgBouncer is not installed"
)
IGNORING = "ignore_startup_parameters = options"
SHARED = "such as PgBouncer .* lends one session to many clients"


@pytest.fixture
def sharing(database: str) -> Iterator[SharingPooler]:
    pooler = SharingPooler(database)
    yield pooler
    pooler.close()


def with_options(url: str, options: str) -> str:
    changed = sa.make_url(url).update_query_dict({"options": options})
    return changed.render_as_string(hide_password=False)


def test_a_pooler_that_shares_sessions_is_refused_by_name(
    sharing: SharingPooler,
) -> None:
    """Also where nobody else uses it, and each statement gets the same session."""
    with pytest.raises(UnfitSession, match=SHARED):
        connect(sharing.url)


def test_without_the_check_two_clients_hold_one_lock(
    sharing: SharingPooler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventstore.sessions.opening.refuse_sharing", lambda _: False)
    lock = "SELECT pg_try_advisory_lock(1)"
    with connect(sharing.url) as first, connect(sharing.url) as second:
        # By turns they get both sessions of the pooler.
        taken = first.execute(lock).fetchone()
        first.execute("SELECT 1")
        also = second.execute(lock).fetchone()

    assert taken == also == (True,)


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
