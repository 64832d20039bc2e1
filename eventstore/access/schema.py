"""The tables of users, roles, tokens and sessions; only their owner can read them."""

import sqlalchemy as sa

from eventstore.tables import metadata

SCHEMA = "access"


def moment(name: str, *, is_now: bool = False) -> "sa.Column[object]":
    return sa.Column(
        name,
        sa.TIMESTAMP(timezone=True),
        nullable=not is_now,
        server_default=sa.func.clock_timestamp() if is_now else None,
    )


# A user is the principal of commands and the actor of events, by name, for ever: one
# who leaves is disabled, and the name is never given to another.
users = sa.Table(
    "users",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    # Hashed by argon2id; NULL: none was set.
    sa.Column("password", sa.String),
    moment("created_at", is_now=True),
    moment("disabled_at"),
    # A colon marks principals of our own (`process:…`), and `local` needs no token: no
    # user may have such a name.
    sa.CheckConstraint(
        "name ~ '^[a-z][a-z0-9._-]{0,59}$' AND name <> 'local'", name="name"
    ),
    schema=SCHEMA,
)

# The permissions of a role are defined in the code; its users are stored here.
user_roles = sa.Table(
    "user_roles",
    metadata,
    sa.Column("user_name", sa.String, sa.ForeignKey(users.c.name), primary_key=True),
    sa.Column("role", sa.String, primary_key=True),
    schema=SCHEMA,
)

tokens = sa.Table(
    "tokens",
    metadata,
    # The part of a token that is no secret: it is found and revoked by it.
    sa.Column("prefix", sa.String, primary_key=True),
    sa.Column("user_name", sa.String, sa.ForeignKey(users.c.name), nullable=False),
    # SHA-256 of the whole token, which has 256 random bits: it cannot be guessed, so no
    # slow hash is needed.
    sa.Column("hash", sa.LargeBinary, nullable=False),
    moment("created_at", is_now=True),
    sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
    moment("revoked_at"),
    sa.CheckConstraint("octet_length(hash) = 32", name="hash"),
    # Serves showing a user's.
    sa.Index("tokens_user_name_idx", "user_name"),
    schema=SCHEMA,
)

token_scopes = sa.Table(
    "token_scopes",
    metadata,
    sa.Column("prefix", sa.String, sa.ForeignKey(tokens.c.prefix), primary_key=True),
    sa.Column("scope", sa.String, primary_key=True),
    schema=SCHEMA,
)

# What is past its limits is deleted by the next login, of whomever.
sessions = sa.Table(
    "sessions",
    metadata,
    # SHA-256 of the secret in the browser's cookie, which has 256 random bits.
    sa.Column("hash", sa.LargeBinary, primary_key=True),
    sa.Column("user_name", sa.String, sa.ForeignKey(users.c.name), nullable=False),
    moment("created_at", is_now=True),
    # To the minute: not each request writes.
    moment("seen_at", is_now=True),
    sa.CheckConstraint("octet_length(hash) = 32", name="hash"),
    # Serves ending a user's.
    sa.Index("sessions_user_name_idx", "user_name"),
    schema=SCHEMA,
)

# Logins that failed, or have just begun: each moves the time at which all are forgiven.
failed_logins = sa.Table(
    "failed_logins",
    metadata,
    # A digest of an address, a name or a browser.
    sa.Column("of_what", sa.LargeBinary, primary_key=True),
    sa.Column("forgiven_at", sa.TIMESTAMP(timezone=True), nullable=False),
    schema=SCHEMA,
)
