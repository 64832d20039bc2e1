"""
Many commands are accepted in one round trip, and each process shows that it lives.

One by one each command pays for a round trip and a commit of its own, and a file of a
hundred thousand has to wait for as many. From the heartbeats the relay sees whether
what waits has lost its message, or stands in a queue in front of healthy workers.
"""

from alembic import op

from eventstore.roles import grant_rights
from eventstore.sql import create_functions

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


TABLE = """
CREATE TABLE IF NOT EXISTS public.heartbeats (
    process varchar CONSTRAINT heartbeats_pkey PRIMARY KEY,
    role varchar NOT NULL,
    started_at timestamptz NOT NULL,
    beat_at timestamptz NOT NULL,
    serves_commands boolean NOT NULL,
    idle_since timestamptz,
    received_until timestamptz,
    detail jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50)
"""

FUNCTIONS = (
    "keep_keys",
    "accept_many",
    "append",
    "take",
    "take_many",
    "lost_before",
    "waiting",
    "beat",
    "end_beat",
)


def upgrade() -> None:
    op.execute(TABLE)
    create_functions(op.get_bind(), *FUNCTIONS)
    grant_rights(op.get_bind())


# No downgrade: the version before calls none of it.
