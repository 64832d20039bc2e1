"""
The roles in the database, each with the least rights that its processes need.

They are groups without a login: give each process a login of its own, as a member of
one. The tables' owner is none of them. Rights that are not named here only the owner
has, above all writing to the log: events are appended by a function that keeps the
rules, and a login that may call it has no right to the table.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from eventstore.group_roles import make_roles
from eventstore.sql import FUNCTIONS, execute, signatures

PREFIX = "recount_"
READ_MODELS = "readmodels"
"""The schema owned by a role: its members create and drop objects in it."""

ROLES: Mapping[str, str] = {
    "web": "accepts commands, and reads",
    "worker": "runs commands, follows the log",
    "relay": "does what the workers do, when the broker does not",
    "reader": "reads the log and the read models, and follows them",
    "operator": "runs the commands of `recount`, but for those that want the owner",
    READ_MODELS: "owns the read models, which can be rebuilt, and nothing else",
}
"""What each role may do, by its name without the prefix."""

RUNNERS = ("worker", "relay", "operator")
"""The roles that decide commands and catch up subscriptions; all own the rows."""
EVERYBODY = ("web", "reader", *RUNNERS)

SELECT = "SELECT"

TABLES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "events": dict.fromkeys(EVERYBODY, (SELECT,)),
    # Verification reads the last value; no role may draw from the sequence or move it.
    "events_id_seq": dict.fromkeys(("reader", *RUNNERS), (SELECT,)),
    "seals": dict.fromkeys(("reader", *RUNNERS), (SELECT,)),
    "commands": dict.fromkeys(("web", *RUNNERS), (SELECT,)),
    "command_incidents": dict.fromkeys(("web", *RUNNERS), (SELECT,)),
    # A reader that finds no command asks whether it was pruned.
    "prunings": dict.fromkeys(EVERYBODY, (SELECT,)),
    # A checkpoint moves in the transaction of what was written, and only forwards.
    "subscriptions": {
        "web": (SELECT,),
        "reader": (SELECT,),
        **dict.fromkeys(RUNNERS, (SELECT, "INSERT", "UPDATE", "DELETE")),
    },
    # Only `act` moves them: what was acted on is never acted on again.
    "process_managers": dict.fromkeys(EVERYBODY, (SELECT,)),
    # A cache, too: a rebuild makes the rows without it.
    "parked_streams": {
        "web": (SELECT,),
        "reader": (SELECT,),
        **dict.fromkeys(RUNNERS, (SELECT, "INSERT", "UPDATE", "DELETE")),
    },
    "signals": dict.fromkeys(RUNNERS, (SELECT, "DELETE")),
    "passes": dict.fromkeys(RUNNERS, (SELECT, "INSERT", "UPDATE", "DELETE")),
    "generations": {
        "web": (SELECT,),
        "reader": (SELECT,),
        **dict.fromkeys(RUNNERS, (SELECT, "INSERT", "UPDATE")),
    },
    "fillings": {
        "web": (SELECT,),
        "reader": (SELECT,),
        **dict.fromkeys(RUNNERS, (SELECT, "INSERT", "UPDATE", "DELETE")),
    },
    # Only who has the right to the read models decides who follows them.
    "followed_read_models": {
        **dict.fromkeys(EVERYBODY, (SELECT,)),
        "operator": (SELECT, "INSERT", "DELETE"),
        # For the stores that the settings name.
        "relay": (SELECT, "INSERT"),
    },
    # Of the copies in other servers: the writer's notes, and what operators ask of it.
    "read_stores": {
        "web": (SELECT,),
        **dict.fromkeys(RUNNERS, (SELECT, "INSERT", "UPDATE", "DELETE")),
    },
    "refused_rows": {
        "web": (SELECT,),
        **dict.fromkeys(RUNNERS, (SELECT, "INSERT", "UPDATE", "DELETE")),
    },
    # Notes of the audit, which reports and repairs nothing.
    "audit_walks": {
        "web": (SELECT,),
        "reader": (SELECT,),
        **dict.fromkeys(RUNNERS, (SELECT, "INSERT", "UPDATE", "DELETE")),
    },
    "wrong_rows": {
        "web": (SELECT,),
        "reader": (SELECT,),
        **dict.fromkeys(RUNNERS, (SELECT, "INSERT", "UPDATE", "DELETE")),
    },
    # Caches, each asked for by who wants to see it. The reader sees which there are.
    "past_copies": {
        "web": (SELECT, "INSERT", "UPDATE"),
        "reader": (SELECT,),
        **dict.fromkeys(RUNNERS, (SELECT, "INSERT", "UPDATE", "DELETE")),
    },
    # By a trigger, in the transaction of the rows.
    "change_counters": {
        "web": (SELECT,),
        "reader": (SELECT,),
        **dict.fromkeys(RUNNERS, (SELECT, "INSERT", "UPDATE", "DELETE")),
    },
    # A cache that has a checksum, and can be deleted at any time. The web tells what a
    # command would cause; it may read the events that these are made from.
    "snapshots": {
        "web": (SELECT,),
        **dict.fromkeys(RUNNERS, (SELECT, "INSERT", "UPDATE", "DELETE")),
    },
    "heartbeats": dict.fromkeys(EVERYBODY, (SELECT,)),
    "unique_claims": {},
    "alembic_version": dict.fromkeys(EVERYBODY, (SELECT,)),
    # Of the order desk, if it is there. The relay delivers, to addresses that it cannot
    # choose; the web counts, and sees neither addresses nor secrets.
    "webhooks": {
        "relay": (SELECT,),
        "operator": (SELECT, "INSERT", "UPDATE", "DELETE"),
    },
    "webhook_secrets": {
        "relay": (SELECT,),
        "operator": (SELECT, "INSERT", "UPDATE", "DELETE"),
    },
    "webhook_progress": {
        "web": (SELECT,),
        "relay": (SELECT, "UPDATE"),
        "operator": (SELECT, "INSERT", "UPDATE"),
    },
    "vault.keys": {},
    # Hashes among them: each of those who need some of it have a function for that.
    "access.users": {},
    "access.user_roles": {},
    "access.tokens": {},
    "access.token_scopes": {},
    "access.sessions": {},
    "access.failed_logins": {},
}

CALLS: Mapping[str, Iterable[str]] = {
    "settled": EVERYBODY,
    "last_drawn": EVERYBODY,
    "lock_key": EVERYBODY,
    "event_id_at": EVERYBODY,
    "checkpoint_fault": EVERYBODY,
    "fence_holders": EVERYBODY,
    "accept": ("web", *RUNNERS),
    "accept_many": ("web", *RUNNERS),
    "command_key": ("web", *RUNNERS),
    "hold_checkpoints": RUNNERS,
    "append": RUNNERS,
    "append_and_complete": RUNNERS,
    "take": RUNNERS,
    "take_many": RUNNERS,
    "take_ahead": RUNNERS,
    "finish": RUNNERS,
    "give_back": RUNNERS,
    "forget_marks": RUNNERS,
    "release": RUNNERS,
    "next_due": RUNNERS,
    "count_waiting": ("web", *RUNNERS),
    "backoff": RUNNERS,
    "rests": RUNNERS,
    "give_turns": RUNNERS,
    "waiting": RUNNERS,
    "lost_before": RUNNERS,
    "beat": ("web", *RUNNERS),
    "end_beat": ("web", *RUNNERS),
    # A client takes back what it has scheduled itself.
    "cancel_command": ("web", "operator"),
    "retry_command": ("operator",),
    "abandon_command": ("operator",),
    "repair_checkpoint": ("operator",),
    "begin_pruning": ("operator",),
    "prune_commands": ("operator",),
    "load": ("web", *RUNNERS),
    "why_refused": ("web", *RUNNERS),
    "claimed": ("web", *RUNNERS),
    # The web shows what is personal in events, to those who may see it.
    "find_keys": ("web", *RUNNERS),
    "raise_signal": RUNNERS,
    "begin_seals": RUNNERS,
    "seal": RUNNERS,
    "imprint": ("reader", *RUNNERS),
    "seal_hash": ("reader", *RUNNERS),
    "begin_acting": RUNNERS,
    "record_progress": RUNNERS,
    "move_numbers": ("worker", "operator"),
    "count_former_keys": ("operator",),
    "former_keys": ("operator",),
    "rewrap_keys": ("operator",),
    "has_users": ("web", "operator"),
    "find_token": ("web",),
    # Of its pages. What they change needs the session of who wants it.
    "begin_login": ("web",),
    "open_session": ("web",),
    "find_session": ("web",),
    "note_session": ("web",),
    "end_session": ("web",),
    "add_first_user": ("web",),
    "change_user_as": ("web",),
    "change_password_as": ("web",),
    "list_users_as": ("web",),
    "create_token_as": ("web",),
    "revoke_token_as": ("web",),
    "list_tokens_as": ("web",),
    "roles_of_senders": RUNNERS,
    "add_user": ("operator",),
    "set_roles": ("operator",),
    "set_disabled": ("operator",),
    "set_password": ("operator",),
    "list_users": ("operator",),
    "end_sessions_of": ("operator",),
    "create_token": ("operator",),
    "revoke_token": ("operator",),
    "list_tokens": ("operator",),
}
"""Functions by who may call them; one that is not here only others of ours call."""


class Grant(NamedTuple):
    """A privilege of a role on a table or a function."""

    role: str
    privilege: str
    on: str


def wanted_grants() -> set[Grant]:
    """Return every privilege that the roles are to have on tables and functions."""
    on_tables = {
        Grant(role, privilege, table)
        for table, by_role in TABLES.items()
        for role, privileges in by_role.items()
        for privilege in privileges
    }
    on_functions = {
        Grant(role, "EXECUTE", name) for name, roles in CALLS.items() for role in roles
    }
    return on_tables | on_functions


def grant_rights(connection: sa.Connection) -> None:
    """
    Create missing roles, and grant all of them the rights that they need.

    Other rights are revoked; it may be repeated at any time. Raises RolesMissing if the
    connected login may not create roles.
    """
    make_roles(
        connection,
        [PREFIX + role for role in ROLES],
        PREFIX + READ_MODELS,
        [PREFIX + role for role in RUNNERS],
    )
    for statement in statements(connection):
        execute(connection, statement)


def statements(connection: sa.Connection) -> Iterable[str]:
    """Yield what gives the roles their rights, and takes away what else they have."""
    roles = ", ".join(PREFIX + role for role in ROLES)
    owner, readers = PREFIX + READ_MODELS, f"{PREFIX}web, {PREFIX}reader"
    yield f"REVOKE ALL ON SCHEMA public FROM {roles}"
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    yield f"GRANT USAGE ON SCHEMA public TO {roles}"
    database = connection.scalar(sa.text("SELECT quote_ident(current_database())"))
    # A table of ours by its name alone would be the temporary one of its maker.
    yield f"REVOKE TEMPORARY, CREATE ON DATABASE {database} FROM PUBLIC, {roles}"
    if connection.scalar(sa.text("SELECT rolsuper FROM pg_roles WHERE rolname = user")):
        # Since when a writer holds back the readers, is another session's affair.
        yield f"GRANT pg_read_all_stats TO {PREFIX}operator"
    yield f"CREATE SCHEMA IF NOT EXISTS {READ_MODELS}"
    yield f"ALTER SCHEMA {READ_MODELS} OWNER TO {owner}"
    for kind, name in connection.execute(
        sa.text(
            """
            SELECT CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, oid::regclass
            FROM pg_class
            WHERE relnamespace = to_regnamespace(:schema) AND relkind IN ('r', 'v')
                -- What a login made there by hand, only it can hand over.
                AND pg_has_role(relowner, 'USAGE')
            """
        ),
        {"schema": READ_MODELS},
    ).all():
        yield f"ALTER {kind} {name} OWNER TO {owner}"
        yield f"GRANT SELECT ON {name} TO {readers}"
    for name in connection.scalars(
        sa.text(
            """
            SELECT oid::regprocedure FROM pg_proc
            WHERE pronamespace = to_regnamespace(:schema)
                AND pg_has_role(proowner, 'USAGE')
            """
        ),
        {"schema": READ_MODELS},
    ).all():
        yield f"ALTER ROUTINE {name} OWNER TO {owner}"
    yield f"GRANT USAGE ON SCHEMA {READ_MODELS} TO {readers}"
    yield from on_tables(connection, roles)
    yield from on_functions(connection, roles)


def on_tables(connection: sa.Connection, roles: str) -> Iterable[str]:
    for table, by_role in TABLES.items():
        if connection.scalar(sa.text("SELECT to_regclass(:t)"), {"t": table}) is None:
            continue
        yield f"REVOKE ALL ON {table} FROM PUBLIC, {roles}"
        for role, privileges in by_role.items():
            yield f"GRANT {', '.join(privileges)} ON {table} TO {PREFIX}{role}"


def on_functions(connection: sa.Connection, roles: str) -> Iterable[str]:
    for name in FUNCTIONS:
        callers = ", ".join(PREFIX + role for role in CALLS.get(name, ()))
        for signature in signatures(connection, [name]):
            yield f"REVOKE ALL ON ROUTINE {signature} FROM PUBLIC, {roles}"
            if callers:
                yield f"GRANT EXECUTE ON ROUTINE {signature} TO {callers}"
