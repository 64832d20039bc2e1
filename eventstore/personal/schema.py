"""The vault: the keys of subjects, in a schema of their own that is backed up apart."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import UUID

from eventstore.tables import metadata

SCHEMA = "vault"

# A dump of the log is worth nothing without them: who keeps both in one place can be
# made to read again what was forgotten.
keys = sa.Table(
    "keys",
    metadata,
    sa.Column("id", UUID, primary_key=True),
    # The stream of the person: customer-ALFKI.
    sa.Column("subject", sa.String, nullable=False),
    # Of a key that came with a command, and opens nothing but that; else NULL.
    sa.Column("command_id", UUID),
    # By which master key it is wrapped; the key itself is never stored.
    sa.Column("master", sa.String),
    # NULL: destroyed. The row stays, so that a key which was lost is not mistaken for
    # one that was destroyed, and nobody gets a new one for the subject.
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
    # All that is written of a subject is written with one key: of two writers that
    # each made one, the second takes the first's.
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
