"""The engine's functions in SQL, one a file, and how they get into a database."""

from collections.abc import Sequence
from importlib.resources import files

import sqlalchemy as sa

# In the order in which they name each other.
FUNCTIONS = (
    "lock_key",
    "last_drawn",
    "event_id_at",
    "checkpoint_fault",
    "place_of",
    "hold_fence",
    "settled",
    "hold_checkpoints",
    "fence_holders",
    "refuse_change",
    "keep_keys",
    "redacted_error",
    "storable_error",
    "redact_errors_of",
    "destroy_keys",
    "find_keys",
    "command_key",
    "claim",
    "claimed",
    "find_appended",
    "append",
    "append_and_complete",
    "accept",
    "accept_many",
    "backoff",
    "rests",
    "give_turns",
    "next_due",
    "count_waiting",
    "why_refused",
    "load",
    "take",
    "take_many",
    "take_ahead",
    "give_back",
    "forget_marks",
    "release",
    "lost_before",
    "waiting",
    "speaks_for",
    "beat",
    "end_beat",
    "cancel_command",
    "retry_command",
    "abandon_command",
    "begin_pruning",
    "prune_commands",
    "raise_signal",
    "finish",
    "imprint",
    "seal_hash",
    "begin_seals",
    "seal",
    "keep_seals",
    "keep_checkpoints",
    "note_event",
    "repair_checkpoint",
    "move_numbers",
    "former_keys",
    "count_former_keys",
    "rewrap_keys",
    "has_users",
    "begin_login",
    "open_session",
    "find_session",
    "note_session",
    "end_session",
    "end_sessions_of",
    "require_admin",
    "add_user",
    "set_roles",
    "set_disabled",
    "set_password",
    "list_users",
    "add_first_user",
    "change_user_as",
    "change_password_as",
    "list_users_as",
    "create_token",
    "revoke_token",
    "list_tokens",
    "find_token",
    "create_token_as",
    "revoke_token_as",
    "list_tokens_as",
    "roles_of_senders",
    "begin_acting",
    "record_progress",
)


def create_functions(connection: sa.Connection, *names: str) -> None:
    """
    Create or replace the functions called *names*, or all of them.

    Most of them act as the tables' owner, so others may call a new one only after a
    grant: `eventstore.roles`. One that is replaced keeps its grants. One whose
    parameters or columns have other names cannot be replaced: it is dropped and made
    again, without grants.
    """
    for name in names or FUNCTIONS:
        execute(connection, replacement(name))
    execute(connection, closing(names or FUNCTIONS))


def replacement(name: str) -> str:
    """Return the SQL that creates the function called *name*, or replaces it."""
    return f"""
        DO $replace$ DECLARE
            definition constant text := $source${source(name)}$source$;
            routine regprocedure;
        BEGIN
            EXECUTE definition;
        EXCEPTION WHEN invalid_function_definition THEN
            FOR routine IN
                SELECT oid FROM pg_proc
                WHERE pronamespace = 'public'::regnamespace AND proname = '{name}'
            LOOP
                EXECUTE format('DROP ROUTINE %s', routine);
            END LOOP;
            EXECUTE definition;
        END $replace$
    """


def closing(names: Sequence[str]) -> str:
    """Return the SQL that takes the functions called *names* away from PUBLIC."""
    return f"""
        DO $$ DECLARE routine regprocedure; BEGIN
            FOR routine IN
                SELECT oid FROM pg_proc
                WHERE pronamespace = 'public'::regnamespace
                    AND proname = ANY ('{{{",".join(names)}}}')
            LOOP
                EXECUTE format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', routine);
            END LOOP;
        END $$
    """


def execute(connection: sa.Connection, statements: str) -> None:
    # Without parameters, else a % of PL/pgSQL is taken for a placeholder.
    connection.exec_driver_sql(statements, execution_options={"no_parameters": True})


def signatures(connection: sa.Connection, names: Sequence[str]) -> Sequence[str]:
    """Return the functions called *names* as GRANT wants them, in the database."""
    return connection.scalars(
        sa.text(
            """
            SELECT oid::regprocedure::text FROM pg_proc
            WHERE pronamespace = 'public'::regnamespace AND proname = ANY (:names)
            ORDER BY 1
            """
        ),
        {"names": list(names)},
    ).all()


def source(name: str) -> str:
    """Return the SQL of the function called *name*."""
    return files(__package__).joinpath(f"{name}.sql").read_text("utf-8")
