"""Sessions of the pages, and logins that failed: tables that no process reads."""

from alembic import op

from eventstore.roles import grant_rights
from eventstore.sql import create_functions

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE IF NOT EXISTS access.sessions (
    hash bytea CONSTRAINT sessions_pkey PRIMARY KEY,
    user_name varchar NOT NULL REFERENCES access.users (name),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT sessions_hash_check CHECK (octet_length(hash) = 32)
);
CREATE INDEX IF NOT EXISTS sessions_user_name_idx ON access.sessions (user_name);
CREATE TABLE IF NOT EXISTS access.failed_logins (
    of_what bytea CONSTRAINT failed_logins_pkey PRIMARY KEY,
    forgiven_at timestamptz NOT NULL
)
"""
FUNCTIONS = (
    "begin_login",
    "open_session",
    "find_session",
    "note_session",
    "end_session",
    "end_sessions_of",
    "require_admin",
    "set_disabled",
    "set_password",
    "list_users",
    "add_first_user",
    "change_user_as",
    "change_password_as",
    "list_users_as",
    "create_token_as",
    "revoke_token_as",
    "list_tokens_as",
)


def upgrade() -> None:
    op.execute(TABLES)
    create_functions(op.get_bind(), *FUNCTIONS)
    grant_rights(op.get_bind())


# No downgrade: the version before leaves these tables alone, and asks no password.
