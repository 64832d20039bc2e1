"""Snapshots, and the functions that load a stream from its snapshot on."""

from alembic import op

from eventstore.sql import create_functions

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE public.snapshots (
    stream_id varchar CONSTRAINT snapshots_pkey PRIMARY KEY,
    version integer NOT NULL CONSTRAINT snapshots_version_check CHECK (version > 0),
    state jsonb NOT NULL,
    fingerprint varchar NOT NULL,
    checksum varchar NOT NULL,
    event_id varchar,
    taken_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ignored integer NOT NULL DEFAULT 0,
    ignored_because varchar,
    ignored_at timestamptz
)
"""


def upgrade() -> None:
    op.execute(TABLE)
    # It has one argument more now, with a default: workers that still run the version
    # before go on calling it as they did. Replacing it would leave two of that name.
    op.execute(
        "DROP FUNCTION IF EXISTS public.take(uuid, text, integer, integer, integer)"
    )
    create_functions(op.get_bind())


def downgrade() -> None:
    # The functions stay: called as the version before does it, they ask no snapshot.
    op.execute("DROP TABLE public.snapshots")
