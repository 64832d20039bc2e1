"""
Parked streams: what a read model cannot follow is set aside, and nothing else stops.

An entry is a position, never a copy of an event.
"""

from alembic import op

from eventstore.roles import grant_rights
from eventstore.sql import create_functions

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE IF NOT EXISTS public.parked_streams (
    subscription varchar NOT NULL,
    stream_id varchar NOT NULL,
    position bigint NOT NULL,
    error varchar NOT NULL,
    line varchar NOT NULL,
    because_of varchar,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts integer NOT NULL DEFAULT 1,
    dropped_at timestamptz,
    PRIMARY KEY (subscription, stream_id)
);
DROP FUNCTION IF EXISTS public.hold_checkpoints(text[]);
"""


def upgrade() -> None:
    op.execute(TABLE)
    create_functions(op.get_bind(), "hold_checkpoints")
    grant_rights(op.get_bind())


# No downgrade: the version before leaves the table alone.
