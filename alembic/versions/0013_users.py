"""Users, roles and tokens: who sends a command, in a schema that no process reads."""

from alembic import op

from eventstore.roles import grant_rights
from eventstore.sql import create_functions

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE access.users (
    name varchar CONSTRAINT users_pkey PRIMARY KEY,
    password varchar,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    disabled_at timestamptz,
    CONSTRAINT users_name_check
        CHECK (name ~ '^[a-z][a-z0-9._-]{0,59}$' AND name <> 'local')
);
CREATE TABLE access.user_roles (
    user_name varchar REFERENCES access.users (name),
    role varchar,
    CONSTRAINT user_roles_pkey PRIMARY KEY (user_name, role)
);
CREATE TABLE access.tokens (
    prefix varchar CONSTRAINT tokens_pkey PRIMARY KEY,
    user_name varchar NOT NULL REFERENCES access.users (name),
    hash bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT tokens_hash_check CHECK (octet_length(hash) = 32)
);
CREATE INDEX tokens_user_name_idx ON access.tokens (user_name);
CREATE TABLE access.token_scopes (
    prefix varchar REFERENCES access.tokens (prefix),
    scope varchar,
    CONSTRAINT token_scopes_pkey PRIMARY KEY (prefix, scope)
)
"""
FUNCTIONS = (
    "has_users",
    "add_user",
    "set_roles",
    "set_disabled",
    "set_password",
    "list_users",
    "create_token",
    "revoke_token",
    "list_tokens",
    "find_token",
    "roles_of_senders",
)


def upgrade() -> None:
    op.execute("CREATE SCHEMA access")
    op.execute(TABLES)
    create_functions(op.get_bind(), *FUNCTIONS)
    grant_rights(op.get_bind())


# No downgrade: the previous version would give access to disabled users again.
