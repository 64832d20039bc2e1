"""Databases of earlier versions: what migrations make of them."""

import uuid

from tests.support.databases import Databases, migrate
from tests.support.engine import connect


def test_a_database_of_before_snapshots_is_left_with_one_take(
    databases: Databases,
) -> None:
    """Replacing a function that gets one more argument would leave both."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    url = databases.create(name)
    migrate(url, "0003")
    with connect(url) as connection:
        connection.execute(
            """
            DROP FUNCTION public.take;
            CREATE FUNCTION public.take(uuid, text, integer, integer, integer)
            RETURNS TABLE (kind text) LANGUAGE sql AS 'SELECT NULL'
            """
        )
        migrate(url)
        rows = connection.execute(
            "SELECT pronargs FROM pg_proc WHERE proname = 'take'"
        ).fetchall()
        connection.execute(
            "SELECT kind, stream_id, lease_limit, command_id, attempts, conflicts"
            " FROM public.take(gen_random_uuid(), 'worker', 1, 1000, 5)"
        )
    connection.close()
    databases.drop(name)

    assert rows == [(6,)]


def test_a_database_of_before_claims_is_left_with_one_append(
    databases: Databases,
) -> None:
    name = f"t_{uuid.uuid4().hex[:16]}"
    url = databases.create(name)
    migrate(url, "0004")
    with connect(url) as connection:
        connection.execute(
            """
            DROP FUNCTION public.append;
            DROP PROCEDURE public.finish;
            CREATE FUNCTION public.append(
                text[], integer[], integer[], text[], jsonb[], jsonb[], timestamptz[],
                uuid[], text[], jsonb[]
            ) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint';
            CREATE PROCEDURE public.finish(
                text, text[], integer[], integer[], text[], jsonb[], jsonb[],
                timestamptz[], uuid[], text[], jsonb[], text,
                INOUT a uuid DEFAULT NULL, INOUT b boolean DEFAULT NULL
            ) LANGUAGE plpgsql AS 'BEGIN END'
            """
        )
        migrate(url)
        rows = connection.execute(
            """
            SELECT proname, pronargs FROM pg_proc
            WHERE proname IN ('append', 'finish') ORDER BY 1
            """
        ).fetchall()
        connection.execute(
            """
            CALL public.finish(
                '{counter-1}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}',
                '{}', 'catch_up'
            )
            """
        )
    connection.close()
    databases.drop(name)

    assert rows == [("append", 10), ("finish", 17)]


def test_a_migration_that_was_stopped_at_its_indexes_is_run_again(
    databases: Databases,
) -> None:
    name = f"t_{uuid.uuid4().hex[:16]}"
    url = databases.create(name)
    migrate(url)
    with connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0007'")
        connection.execute("DROP INDEX events_causation_id_idx")
        # As one is left that could not be made to its end.
        connection.execute(
            """
            UPDATE pg_index SET indisvalid = false
            WHERE indexrelid = 'events_event_id_idx'::regclass
            """
        )
        migrate(url, "0008")
        rows = connection.execute(
            """
            SELECT count(*), bool_and(indisvalid) FROM pg_index
            WHERE indrelid = 'events'::regclass
            """
        ).fetchall()
    connection.close()
    databases.drop(name)

    assert rows == [(5, True)]


def test_a_function_whose_parameters_had_other_names_is_made_again(
    databases: Databases,
) -> None:
    """PostgreSQL renames no parameter and no column of what a function returns."""
    name = f"t_{uuid.uuid4().hex[:16]}"
    url = databases.create(name)
    migrate(url)
    with connect(url) as connection:
        connection.execute(
            """
            UPDATE alembic_version SET version_num = '0024';
            DROP FUNCTION public.rests, public.load;
            CREATE FUNCTION public.rests(timestamptz, integer, moment timestamptz)
            RETURNS boolean LANGUAGE sql AS 'SELECT true';
            CREATE FUNCTION public.load(text[], text[], integer[])
            RETURNS TABLE (moment timestamptz) LANGUAGE sql AS 'SELECT now()'
            """
        )
        migrate(url)
        rows = connection.execute(
            """
            SELECT proname, 'moment' = ANY (proargnames),
                has_function_privilege('recount_worker', oid, 'EXECUTE')
            FROM pg_proc WHERE proname IN ('rests', 'load') ORDER BY 1
            """
        ).fetchall()
    connection.close()
    databases.drop(name)

    assert rows == [("load", False, True), ("rests", False, True)]
