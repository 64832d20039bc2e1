"""Which read models are followed: when their changes begin, and with what they end."""

import threading
from typing import Any

import psycopg
import pytest

from eventstore.errors.following import NotFollowed
from eventstore.projections.changes import read_changes
from eventstore.projections.following import find_followed, follow, unfollow
from eventstore.projections.generations import (
    ensure_generation,
    make_first_generation,
    put_live,
)
from eventstore.projections.removal import drop_rows, remove_read_model
from eventstore.rebuilding.rebuild import rebuild
from tests.support.databases import as_role
from tests.support.engine import Engine, connect
from tests.support.row_follower import (
    Follower,
    keep_up,
    table,
    totals,
    waits_or_has_ended,
    write,
)
from tests.support.shared_passes import Total
from tests.support.waiting import wait_until


@pytest.fixture
def followed(engine: Engine) -> Engine:
    """The engine with a read model that is followed."""
    ensure_generation(engine.pool, totals)
    with engine.connection.transaction():
        assert follow(engine.connection, totals)
    return engine


def left_of_changes(connection: psycopg.Connection[Any]) -> list[str]:
    """Return all that is there of changes: tables, functions, triggers, counters."""
    return sorted(
        name
        for (name,) in connection.execute(
            """
            SELECT relname::text FROM pg_class
            WHERE relname LIKE '%%\\_changes' AND relkind = 'r'
            UNION ALL SELECT proname || '()' FROM pg_proc
            WHERE pronamespace = 'readmodels'::regnamespace
            UNION ALL SELECT tgrelid::regclass || '.' || tgname FROM pg_trigger
            WHERE tgname LIKE 'note\\_%%' AND tgrelid::regclass::text LIKE '%%\\_g%%'
            UNION ALL SELECT generation FROM change_counters
            """
        )
    )


def kept_of(*generations: str) -> list[str]:
    return sorted(
        name
        for generation in generations
        for name in (
            generation,
            f"{generation}_changes",
            f"{generation}_changes()",
            f"readmodels.{generation}.note_delete",
            f"readmodels.{generation}.note_insert",
            f"readmodels.{generation}.note_update",
        )
    )


def test_changes_live_and_end_with_their_generation(followed: Engine) -> None:
    connection = followed.connection
    assert left_of_changes(connection) == kept_of("totals_g1")
    rebuild(connection, totals)
    assert left_of_changes(connection) == kept_of("totals_g1", "totals_g2")
    rebuild(connection, totals)
    assert left_of_changes(connection) == kept_of("totals_g2", "totals_g3")
    with connection.transaction():
        drop_rows(connection, "totals")
    assert left_of_changes(connection) == []
    rebuild(connection, totals)
    assert left_of_changes(connection) == kept_of("totals_g4")
    with connection.transaction():
        remove_read_model(connection, "totals")
    assert left_of_changes(connection) == []
    assert find_followed(connection) == frozenset()


def test_a_generation_that_comes_back_without_changes_gets_them(
    engine: Engine,
) -> None:
    """One that was live before following began, and is put behind the name again."""
    connection = engine.connection
    ensure_generation(engine.pool, totals)
    write(connection, ("a1", 1))
    keep_up(connection)
    rebuild(connection, totals)
    with connection.transaction():
        follow(connection, totals)
    follower = Follower()
    follower.take_all(connection)
    with connection.transaction():
        put_live(connection, totals, 1)
    write(connection, ("a1", 1))
    keep_up(connection)
    follower.take_all(connection)

    assert follower.begun == 1
    assert follower.rows == table(connection)


@pytest.mark.parametrize(
    "dropped",
    [
        "DROP TABLE readmodels.totals_g1 CASCADE",
        "DROP SCHEMA readmodels CASCADE; DELETE FROM generations",
        "DROP TABLE readmodels.totals_g1_changes",
    ],
)
def test_a_rebuild_mends_what_somebody_dropped(followed: Engine, dropped: str) -> None:
    write(followed.connection, ("a1", 1))
    keep_up(followed.connection)
    followed.connection.execute(dropped)
    rebuild(followed.connection, totals)
    follower = Follower()
    follower.take_all(followed.connection)

    assert follower.rows == table(followed.connection)
    assert len(follower.rows) == 1


def test_who_follows_again_gets_no_row_that_was_deleted_meanwhile(
    followed: Engine,
) -> None:
    connection, follower = followed.connection, Follower()
    write(connection, ("a1", 1))
    keep_up(connection)
    follower.take_all(connection)
    with connection.transaction():
        assert unfollow(connection, "totals")
    assert left_of_changes(connection) == []
    with pytest.raises(NotFollowed):
        read_changes(connection, totals, follower.cursor, limit=1)
    write(connection, ("a1", 6), ("b1", 1))
    keep_up(connection)
    with connection.transaction():
        assert follow(connection, totals)
        assert not follow(connection, totals)
    follower.take_all(connection)

    assert follower.begun == 1
    assert (
        follower.rows
        == table(connection)
        == {"b1": Total(counter="b1", total=1, group=None)}
    )


def test_rows_that_are_written_while_following_begins_are_not_missed(
    engine: Engine,
) -> None:
    ensure_generation(engine.pool, totals)
    write(engine.connection, *((f"a{n}", 1) for n in range(20)))
    keep_up(engine.connection)
    holder, other = engine.connect(), engine.connect()
    write(engine.connection, ("a1", 1))
    with holder.transaction():
        # As a pass does: the checkpoint, then rows.
        holder.execute("SELECT FROM subscriptions FOR UPDATE")

        def begin() -> None:
            with other.transaction():
                follow(other, totals)

        beginning = threading.Thread(target=begin)
        beginning.start()
        wait_until(lambda: waits_or_has_ended(engine, other, beginning), "it waits")
        assert beginning.is_alive()
        holder.execute("UPDATE readmodels.totals_g1 SET total = 5 WHERE total = 1")
    beginning.join()
    keep_up(engine.connection)
    follower = Follower()
    follower.take_all(engine.connection)

    assert follower.rows == table(engine.connection)
    assert len(follower.rows) == 20


def test_each_role_does_its_part_of_following(database: str) -> None:
    """An operator decides it, a worker rebuilds and writes, the web reads."""

    def as_(role: str) -> psycopg.Connection[Any]:
        return connect(as_role(database, role))

    with connect(database) as owner, as_("operator") as operator:
        with operator.transaction():
            make_first_generation(operator, totals)
            follow(operator, totals)
        write(owner, ("a1", 1))
        with as_("worker") as worker, as_("web") as web:
            keep_up(worker, totals)
            rebuild(worker, totals)
            write(owner, ("a1", 1))
            keep_up(worker, totals)
            follower = Follower()
            follower.take_all(web)
            assert follower.rows == table(web)
        # What the worker's login has made, the operator's drops.
        with operator.transaction():
            unfollow(operator, "totals")
        assert left_of_changes(owner) == []
