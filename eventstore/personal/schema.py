"""The vault: the keys of subjects, in a schema of its own with separate backups."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID

from eventstore.tables import metadata

SCHEMA = "vault"

# A dump of the log cannot be decrypted without them: with both in one backup, forgotten
# data could be read again.
keys = sa.Table(
    "keys",
    metadata,
    sa.Column("id", UUID, primary_key=True),
    # The stream of the person: customer-ALFKI.
    sa.Column("subject", sa.String, nullable=False),
    # Of a key that decrypts only a command; otherwise NULL.
    sa.Column("command_id", UUID),
    # The name of the master key that wraps it; the bare key is never stored.
    sa.Column("master", sa.String),
    # NULL: destroyed. The row stays, so that a lost key is not taken for a destroyed
    # one, and the subject never gets a new one.
    sa.Column("wrapped", sa.LargeBinary),
    sa.Column(
        "made_at",
        sa.TIMESTAMP(timezone=True),
        nullable=False,
        server_default=sa.func.clock_timestamp(),
    ),
    sa.Column("destroyed_at", sa.TIMESTAMP(timezone=True)),
    sa.CheckConstraint(
        "(wrapped IS NULL) = (destroyed_at IS NOT NULL)", name="destroyed"
    ),
    # All data of a subject have one key: of two writers that each made one, the second
    # uses the first's.
    sa.Index(
        "keys_subject_key",
        "subject",
        unique=True,
        postgresql_where=sa.text("command_id IS NULL"),
    ),
    # Serves destroying them all.
    sa.Index("keys_subject_idx", "subject"),
    # Serves a command's own.
    sa.Index(
        "keys_command_id_idx",
        "command_id",
        postgresql_where=sa.text("command_id IS NOT NULL"),
    ),
    schema=SCHEMA,
)
