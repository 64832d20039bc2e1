"""Each role may do what its processes need, and nothing else: above all to the log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

from eventstore.database.installation import install
from eventstore.database.rights_checks import check_rights
from eventstore.errors import RolesMissing
from eventstore.log.append import append
from eventstore.roles import CALLS, READ_MODELS, ROLES, TABLES, grant_rights
from eventstore.sql import FUNCTIONS
from tests.support.databases import LOGINS, Databases, as_role
from tests.support.engine import Engine, added

As = Callable[[str], Any]


@pytest.fixture
def connect_as(database: str) -> As:
    """Connects as a login that has the rights of one role."""

    @contextmanager
    def connect(role: str) -> Iterator[psycopg.Connection[Any]]:
        url = sa.make_url(as_role(database, role)).set(drivername="postgresql")
        with psycopg.connect(url.render_as_string(False), autocommit=True) as login:
            yield login

    return connect


APPEND = """
    SELECT append('{order-1}', '{-2}', '{1}', '{Added}', '{"{}"}', '{"{}"}', '{NULL}')
"""
ACCEPT = """
    SELECT accept(
        gen_random_uuid(), 'order-1', 'order', NULL, 'Add', '{}', '{}', 'somebody', '',
        NULL, NULL
    )
"""
EVENT = "('order-1', 'Added', 9, '{}', '{}', now())"

# What nobody but the owner may do, whoever else it is.
FORBIDDEN = {
    "change an event": "UPDATE events SET type = 'Other'",
    "delete events": "DELETE FROM events",
    "empty the log": "TRUNCATE events",
    "insert an event of a version of one's choice": (
        "INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)"
        f" VALUES {EVENT}"
    ),
    "insert an event with an id of one's choice": (
        "INSERT INTO events"
        " (id, stream_id, type, version, data, metadata, occurred_at)"
        " OVERRIDING SYSTEM VALUE"
        " VALUES (7, 'order-1', 'Added', 9, '{}', '{}', now())"
    ),
    "copy events in": "COPY events FROM STDIN",
    "switch off the fence": "ALTER TABLE events DISABLE TRIGGER events_hold_fence",
    "switch off all triggers": "SET session_replication_role = replica",
    "drop a trigger": "DROP TRIGGER events_refuse_change ON events",
    "take over the log": "ALTER TABLE events OWNER TO CURRENT_USER",
    "change a seal": "UPDATE seals SET count = 0",
    "cut off seals": "DELETE FROM seals",
    "move the log's sequence": "SELECT setval('events_id_seq', 1000)",
    "draw an id": "SELECT nextval('events_id_seq')",
    "give the sequence a cache": "ALTER SEQUENCE events_id_seq CACHE 10",
    "make a temporary table that hides ours": "CREATE TEMPORARY TABLE events (id int)",
    "make a function beside ours": (
        "CREATE FUNCTION public.settled(int) RETURNS int LANGUAGE sql AS 'SELECT 1'"
    ),
    "replace a function": (
        "CREATE OR REPLACE FUNCTION public.settled() RETURNS bigint LANGUAGE sql"
        " AS 'SELECT 1::bigint'"
    ),
    "make a table beside ours": "CREATE TABLE public.mine (id int)",
    "make a schema": "CREATE SCHEMA mine",
    "write a status into the journal": "UPDATE commands SET status = 'succeeded'",
    "write a command into the journal": (
        "INSERT INTO commands"
        " (id, stream_id, type, data, metadata, principal, fingerprint, status)"
        " VALUES (gen_random_uuid(), 'order-1', 'Add', '{}', '{}', 'process:x', '',"
        " 'succeeded')"
    ),
    "take back a command": "DELETE FROM commands",
    "read the keys": "SELECT * FROM vault.keys",
    "change the keys": "UPDATE vault.keys SET wrapped = NULL",
    "destroy keys": "SELECT destroy_keys('{customer-ALICE}')",
    "store keys": "SELECT keep_keys('[]')",
    "read tokens": "SELECT * FROM access.tokens",
    "read users": "SELECT * FROM access.users",
    "read sessions": "SELECT * FROM access.sessions",
    "open a session without a password": (
        "INSERT INTO access.sessions VALUES (sha256('mine'), 'admin')"
    ),
    "forget which logins failed": "DELETE FROM access.failed_logins",
    "look through users without the session of an admin": (
        "SELECT list_users_as(sha256('a'))"
    ),
    "add a user without the session of an admin": (
        "SELECT change_user_as(sha256('a'), 'add', 'me', '{admin}', NULL)"
    ),
    "look through tokens without the session of an admin": (
        "SELECT list_tokens_as(sha256('a'), true)"
    ),
    "become somebody": "UPDATE access.tokens SET hash = sha256('mine')",
    "become an admin": "INSERT INTO access.user_roles VALUES ('me', 'admin')",
    "act on events again": "UPDATE process_managers SET acted_up_to = 0",
    "deploy again": "DELETE FROM process_managers",
    "read claims": "SELECT * FROM unique_claims",
    "release claims": "DELETE FROM unique_claims",
    "claim": "SELECT claim('[]')",
    "become the owner of the read models' schema's database": (
        "ALTER SCHEMA public OWNER TO CURRENT_USER"
    ),
}


@pytest.mark.parametrize("role", LOGINS)
def test_nobody_but_the_owner_may(connect_as: As, role: str) -> None:
    with connect_as(role) as login:
        done = {
            what
            for what, statement in FORBIDDEN.items()
            if not is_refused(login, statement)
        }

    assert done == set()


def is_refused(login: psycopg.Connection[Any], statement: str) -> bool:
    try:
        if statement.startswith("COPY"):
            with login.cursor().copy(statement):
                return False
        login.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return True
    return False


# What one role may and another may not. Of each the roles that may.
BY_ROLE = {
    APPEND: {"worker", "relay", "operator"},
    ACCEPT: {"web", "worker", "relay", "operator"},
    "SELECT find_keys('{}', '{customer-ALICE}')": {
        "web",
        "worker",
        "relay",
        "operator",
    },
    "SELECT count(*) FROM events": {"web", "worker", "relay", "operator", "reader"},
    "SELECT settled()": {"web", "worker", "relay", "operator", "reader"},
    "SELECT count(*) FROM commands": {"web", "worker", "relay", "operator"},
    "SELECT count(*) FROM snapshots": {"web", "worker", "relay", "operator"},
    "DELETE FROM snapshots": {"worker", "relay", "operator"},
    "SELECT load('{order-1}', '{}')": {"web", "worker", "relay", "operator"},
    "SELECT claimed('order-1', '{}', '{}')": {"web", "worker", "relay", "operator"},
    "SELECT begin_acting('process:x')": {"worker", "relay", "operator"},
    "SELECT record_progress('process:x', 1)": {"worker", "relay", "operator"},
    "SELECT move_numbers('order_numbers', 1)": {"worker", "operator"},
    "SELECT find_token('0123456789ab')": {"web"},
    "SELECT has_users()": {"web", "operator"},
    "SELECT roles_of_senders('{}')": {"worker", "relay", "operator"},
    "SELECT add_user('alice', '{admin}')": {"operator"},
    "SELECT set_roles('alice', '{admin}')": {"operator"},
    "SELECT set_disabled('alice', false)": {"operator"},
    "SELECT set_password('alice', '$argon2id$')": {"operator"},
    "SELECT list_users()": {"operator"},
    "SELECT create_token('alice', 'a', sha256('a'), '{all}', '1 day')": {"operator"},
    "SELECT revoke_token('a')": {"operator"},
    "SELECT list_tokens()": {"operator"},
    "SELECT end_sessions_of('alice')": {"operator"},
    "SELECT begin_login('alice', '{}', '{}', '{}')": {"web"},
    "SELECT open_session('alice', '', sha256('a'), '{}', '{}')": {"web"},
    "SELECT find_session(sha256('a'))": {"web"},
    "SELECT note_session(sha256('a'))": {"web"},
    "SELECT end_session(sha256('a'), true)": {"web"},
    "SELECT change_password_as(sha256('a'), '', '$argon2id$')": {"web"},
    "SELECT create_token_as(sha256('a'), 'a', sha256('a'), '{all}', '1 day')": {"web"},
    "SELECT list_tokens_as(sha256('a'), false)": {"web"},
    "SELECT revoke_token_as(sha256('a'), 'a')": {"web"},
    "SELECT former_keys('', 1)": {"operator"},
    "SELECT cancel_command(gen_random_uuid(), 'x', 'y', 'x')": {"web", "operator"},
    "SELECT retry_command(gen_random_uuid(), 'x', 'y')": {"operator"},
    "SELECT abandon_command(gen_random_uuid(), 'x', 'y')": {"operator"},
    "SELECT begin_pruning(now() - interval '1 day', 'x', 'y')": {"operator"},
    "SELECT prune_commands(1, 0, 0)": {"operator"},
    "SELECT seal(1)": {"worker", "relay", "operator"},
    "INSERT INTO subscriptions (name) VALUES ('mine') ON CONFLICT DO NOTHING": {
        "worker",
        "relay",
        "operator",
    },
    # Addresses and secrets of webhooks; of their progress the web counts.
    "SELECT url FROM webhooks": {"relay", "operator"},
    "SELECT wrapped FROM webhook_secrets": {"relay", "operator"},
    "SELECT count(*) FROM webhook_progress": {"web", "relay", "operator"},
    "UPDATE webhook_progress SET position = 0": {"relay", "operator"},
    "UPDATE webhooks SET url = 'https://example.com/'": {"operator"},
    "UPDATE webhook_secrets SET wrapped = ''": {"operator"},
    "DELETE FROM webhooks": {"operator"},
    "DELETE FROM webhook_progress": set(),
    "CREATE TABLE readmodels.mine (id int); DROP TABLE readmodels.mine": {
        "worker",
        "relay",
        "operator",
    },
}


@pytest.mark.parametrize("role", LOGINS)
def test_a_role_may_what_it_needs(connect_as: As, role: str) -> None:
    with connect_as(role) as login:
        may = {statement for statement in BY_ROLE if not is_refused(login, statement)}

    assert may == {statement for statement, roles in BY_ROLE.items() if role in roles}


def test_the_principal_of_a_process_is_no_clients(connect_as: As) -> None:
    statement = ACCEPT.replace("somebody", "process:transfers")
    with connect_as("web") as web, connect_as("worker") as worker:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="reserved"):
            web.execute(statement)
        worker.execute(statement)


def test_the_actor_of_a_command_is_whoever_has_sent_it(connect_as: As) -> None:
    forged = """'{"actor": "process:transfers"}', 'alice'"""
    statement = ACCEPT.replace("'{}', 'somebody'", forged)
    with connect_as("web") as web:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="the actor"):
            web.execute(statement)
        web.execute(statement.replace("process:transfers", "alice"))


def test_a_key_that_comes_with_a_command_is_no_subjects_own(connect_as: As) -> None:
    statement = """
        SELECT accept(
            '{0}', 'order-1', 'order', NULL, 'Add', '{{}}', '{{}}', 'somebody', '',
            NULL, NULL, jsonb_build_array(jsonb_build_object(
                'id', gen_random_uuid(), 'subject', 'customer-1', 'command_id', {1},
                'master', 'x', 'wrapped', '00'
            ))
        )
    """
    own, other = uuid4(), uuid4()
    with connect_as("web") as web:
        for about in ("NULL", f"'{other}'"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="a key"):
                web.execute(statement.format(own, about))
        web.execute(statement.format(own, f"'{own}'"))


BEAT = "SELECT beat('{0}:a:1', '{0}', true, false, NULL, NULL, '{{}}')"


@pytest.mark.parametrize("role", ["web", "worker", "relay"])
def test_a_process_beats_and_ends_as_its_own_role_alone(
    connect_as: As, role: str, engine: Engine
) -> None:
    roles = ("web", "worker", "relay", "beat")
    for other in roles:
        engine.connection.execute(BEAT.format(other))
    with connect_as(role) as login:
        may_beat = {r for r in roles if not is_refused(login, BEAT.format(r))}
        end = "SELECT end_beat('{}:a:1')"
        may_end = {r for r in roles if not is_refused(login, end.format(r))}

    own = {"worker", "beat"} if role == "worker" else {role}
    assert may_beat == may_end == own


def test_a_process_takes_no_name_of_another_role(connect_as: As) -> None:
    """A worker would find its row taken."""
    with connect_as("web") as web:
        for name, role in (("worker:a:1", "web"), ("web:a:1", "worker")):
            statement = BEAT.format("web").replace("'web'", f"'{role}'")
            assert is_refused(web, statement.replace("web:a:1", name))


def test_only_workers_serve_commands(connect_as: As) -> None:
    with connect_as("relay") as relay, connect_as("worker") as worker:
        serving = BEAT.replace("true, false", "true, true")
        assert is_refused(relay, serving.format("relay"))
        assert not is_refused(worker, serving.format("worker"))


def test_a_number_is_drawn_from_no_other_sequence(connect_as: As) -> None:
    statement = ACCEPT.replace("'order-1'", "NULL").replace(
        "'order', NULL", "'order', 'events_id_seq'"
    )
    with connect_as("web") as web, pytest.raises(psycopg.errors.InsufficientPrivilege):
        web.execute(statement)


def test_a_checkpoint_does_not_go_back(connect_as: As) -> None:
    with connect_as("worker") as worker:
        worker.execute("INSERT INTO subscriptions (name, checkpoint) VALUES ('x', 7)")
        worker.execute("UPDATE subscriptions SET checkpoint = 8 WHERE name = 'x'")
        with pytest.raises(psycopg.errors.RestrictViolation, match="from 8 to 7"):
            worker.execute("UPDATE subscriptions SET checkpoint = 7 WHERE name = 'x'")


def test_a_worker_s_events_come_in_behind_the_fence(
    connect_as: As, engine: Engine
) -> None:
    with connect_as("worker") as worker, connect_as("reader") as reader:
        with worker.transaction():
            append(
                worker,
                [("counter-1", added(1))],
                expected={"counter-1": 0},
            )
            assert reader.execute("SELECT settled()").fetchone() == (0,)
        assert reader.execute("SELECT settled()").fetchone() == (1,)


def test_every_function_says_who_may_call_it_or_nobody_may() -> None:
    assert set(CALLS) <= set(FUNCTIONS)
    known = {*LOGINS, *ROLES}
    assert {role for roles in CALLS.values() for role in roles} <= known
    assert {role for by_role in TABLES.values() for role in by_role} <= known


def test_rights_that_were_given_by_hand_are_found_and_taken_away(
    engine: Engine, database: str
) -> None:
    engine.connection.execute("GRANT UPDATE ON events TO recount_web")
    engine.connection.execute("GRANT EXECUTE ON FUNCTION seal TO PUBLIC")
    engine.connection.execute("REVOKE SELECT ON commands FROM recount_web")
    found = [ailment.what for ailment in check_rights(engine.connection)]
    with engine.pool.begin() as connection:
        grant_rights(connection)

    assert found == [
        "web has not SELECT on commands",
        "PUBLIC has, and is not to have, EXECUTE on seal",
        "web has, and is not to have, UPDATE on events",
    ]
    assert list(check_rights(engine.connection)) == []


def test_an_owner_who_may_not_make_roles_is_told_what_to_run(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventstore.roles.ROLES", {"stranger": "nobody made it"})
    with engine.pool.connect() as connection:
        connection.exec_driver_sql("CREATE ROLE test_owner_without_roles")
        connection.exec_driver_sql("SET LOCAL ROLE test_owner_without_roles")
        with pytest.raises(RolesMissing, match="CREATE ROLE recount_stranger NOLOGIN"):
            grant_rights(connection)
        connection.rollback()


@pytest.fixture
def empty(databases: Databases) -> Iterator[str]:
    """The name of a database without our tables."""
    with databases.lend_empty() as url:
        yield str(sa.make_url(url).database)


def test_an_owner_who_may_make_roles_needs_no_more(
    databases: Databases, empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventstore.roles.PREFIX", "test_of_an_owner_")
    engine = sa.create_engine(databases.url_of(empty), poolclass=sa.NullPool)
    with engine.connect() as connection:
        for statement in (
            "CREATE ROLE test_owner_with_roles CREATEROLE",
            f"ALTER DATABASE {empty} OWNER TO test_owner_with_roles",
            "SET LOCAL ROLE test_owner_with_roles",
        ):
            connection.exec_driver_sql(statement)
        install(connection)
        grant_rights(connection)
        # What somebody else made there by hand is left alone, and in nobody's way.
        connection.exec_driver_sql("RESET ROLE; CREATE TABLE readmodels.others ()")
        connection.exec_driver_sql("SET LOCAL ROLE test_owner_with_roles")
        grant_rights(connection)
        owner = connection.scalar(
            sa.text("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = :name"),
            {"name": READ_MODELS},
        )
        connection.rollback()

    assert owner == "test_of_an_owner_readmodels"
