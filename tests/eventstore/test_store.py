"""The store in the caller's transaction, over a connection of either library."""

from dataclasses import replace

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.rows import dict_row

from eventstore import (
    NO_STREAM,
    CannotProject,
    CheckpointNotInLog,
    PostgresStore,
    ReadModelOutdated,
    WrongExpectedVersion,
    catch_up_now,
    verify,
)
from eventstore.log.append import append
from eventstore.projections.generations import live_generations
from tests.support.engine import COUNTERS, Add, Engine, added
from tests.support.totals import totals

CLOCK = "counter-clock"


def put(store: PostgresStore, *, expected: int = NO_STREAM) -> None:
    store.append([(CLOCK, added(5))], expected={CLOCK: expected})


def test_it_commits_with_what_the_caller_writes(engine: Engine) -> None:
    with engine.pool.begin() as transaction:
        put(PostgresStore(transaction))
        transaction.execute(sa.text("CREATE TABLE seen (position bigint)"))
        transaction.execute(sa.text("INSERT INTO seen SELECT id FROM events"))
        assert engine.amounts(CLOCK) == []

    assert engine.amounts(CLOCK) == [5]
    assert engine.connection.execute("SELECT * FROM seen").fetchall() == [(1,)]


def test_it_is_undone_with_what_the_caller_writes(engine: Engine) -> None:
    with engine.pool.begin() as transaction:
        put(PostgresStore(transaction))
        transaction.rollback()

    assert engine.amounts(CLOCK) == []


def test_a_commit_of_sqlalchemys_commits_what_the_store_alone_wrote(
    engine: Engine,
) -> None:
    """SQLAlchemy's commit does nothing where its own connection has begun nothing."""
    with engine.pool.connect() as connection:
        put(PostgresStore(connection))
        connection.commit()
        put(PostgresStore(connection), expected=1)
        connection.rollback()
        put(PostgresStore(connection), expected=1)
        connection.commit()

    assert engine.amounts(CLOCK) == [5, 5]


def test_over_psycopg_it_commits_and_is_undone_as_well(engine: Engine) -> None:
    connection = engine.connect(autocommit=False)
    put(PostgresStore(connection))
    connection.rollback()
    assert engine.amounts(CLOCK) == []

    put(PostgresStore(connection))
    connection.commit()
    assert engine.amounts(CLOCK) == [5]


def test_after_a_refusal_the_transaction_goes_on_from_a_savepoint(
    engine: Engine,
) -> None:
    with engine.pool.begin() as transaction:
        store = PostgresStore(transaction)
        put(store)
        with pytest.raises(WrongExpectedVersion), transaction.begin_nested():
            put(store)
        put(store, expected=1)

    assert engine.amounts(CLOCK) == [5, 5]


def test_a_transaction_sees_its_own_events_and_they_are_not_settled(
    engine: Engine,
) -> None:
    with engine.pool.begin() as transaction:
        store = PostgresStore(transaction)
        put(store)

        assert len(store.read_stream(CLOCK)) == 1
        assert store.load([CLOCK], COUNTERS).versions == {CLOCK: 1}
        assert list(store.read_all()) == []
        assert store.settled() == 0
    assert PostgresStore(engine.connection).settled() == 1


def test_a_command_is_handled_in_the_callers_transaction(engine: Engine) -> None:
    with engine.pool.connect() as connection:
        store = PostgresStore(connection)
        store.handle(Add(counter_id="clock"), deciders=COUNTERS, actor="alice")
        connection.rollback()
        store.handle(
            Add(counter_id="clock", amount=7), deciders=COUNTERS, actor="alice"
        )
        connection.commit()

    assert engine.amounts(CLOCK) == [7]


def test_a_connection_with_other_rows_than_tuples_is_refused(engine: Engine) -> None:
    connection = engine.connect()
    connection.row_factory = dict_row

    with pytest.raises(ValueError, match="row_factory"):
        put(PostgresStore(connection))


def test_a_log_without_a_journal_is_found_right(engine: Engine) -> None:
    store = PostgresStore(engine.connection)
    store.handle(Add(counter_id="clock"), deciders=COUNTERS, actor="alice")
    append(engine.connection, [(CLOCK, added(1))], expected={CLOCK: 1})

    assert verify(engine.connection, COUNTERS).findings == []


def test_a_read_model_is_made_and_brought_up_to_date(engine: Engine) -> None:
    put(PostgresStore(engine.connection))
    catch_up_now(engine.connection, totals)
    put(PostgresStore(engine.connection), expected=1)

    assert catch_up_now(engine.connection, totals).checkpoint == 2
    assert totals_of(engine) == [(10,)]


def test_a_read_model_may_be_kept_in_the_callers_transaction(engine: Engine) -> None:
    put(PostgresStore(engine.connection))
    with engine.pool.connect() as connection:
        catch_up_now(connection, totals)
        connection.rollback()
        assert live_generations(engine.connection) == {}
        assert catch_up_now(connection, totals).checkpoint == 1
        connection.commit()

    assert totals_of(engine) == [(5,)]


def test_a_bug_in_a_fold_is_raised_with_all_before_it_written(
    engine: Engine,
) -> None:
    """Else its caller goes on with rows that get older and older."""
    engine.append(CLOCK, 5, 13, 6, expected=0)

    for _ in range(2):
        with pytest.raises(CannotProject, match="ValueError: thirteen"):
            catch_up_now(engine.connection, totals)
    assert totals_of(engine) == [(5,)]


def test_a_checkpoint_of_another_log_is_raised(engine: Engine) -> None:
    catch_up_now(engine.connection, totals)
    engine.connection.execute("UPDATE subscriptions SET checkpoint = 1")

    with pytest.raises(CheckpointNotInLog, match="recount rebuild totals"):
        catch_up_now(engine.connection, totals)


def test_what_the_database_refuses_is_raised(engine: Engine) -> None:
    catch_up_now(engine.connection, totals)
    engine.connection.execute("ALTER TABLE readmodels.totals_g1 RENAME total TO sum")
    put(PostgresStore(engine.connection))

    with pytest.raises(CannotProject, match="UndefinedColumn"):
        catch_up_now(engine.connection, totals)


def totals_of(engine: Engine) -> list[tuple[int]]:
    return engine.connection.execute("SELECT total FROM readmodels.totals").fetchall()


def test_a_read_model_of_another_definition_is_not_written_to(engine: Engine) -> None:
    catch_up_now(engine.connection, totals)

    with pytest.raises(ReadModelOutdated, match="totals"):
        catch_up_now(engine.connection, replace(totals, version=2))


def test_a_connection_that_is_broken_is_told_as_such(engine: Engine) -> None:
    connection = engine.connect()
    connection.close()

    with pytest.raises(psycopg.OperationalError):
        put(PostgresStore(connection))
