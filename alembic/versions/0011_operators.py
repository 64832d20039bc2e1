"""
Scheduled commands, what operators do with those that failed, and how long all are kept.

The indexes are made while everything goes on being written, outside of a transaction:
a migration that is stopped there is run again from its beginning.
"""

from alembic import op

from eventstore.roles import grant_rights
from eventstore.sql import create_functions

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE IF NOT EXISTS public.prunings (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT prunings_pkey PRIMARY KEY,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    finished_before timestamptz NOT NULL,
    acted_by varchar NOT NULL,
    because varchar NOT NULL,
    count bigint NOT NULL DEFAULT 0
)
"""
INDEXES = {
    "commands_scheduled_idx": (
        "(not_before, seq) WHERE status = 'accepted' AND not_before IS NOT NULL"
    ),
    "commands_unscheduled_idx": (
        "(stream_id COLLATE \"C\") WHERE status = 'accepted' AND not_before IS NULL"
    ),
    "commands_causation_id_idx": (
        "(((metadata ->> 'causation_id')::uuid)) WHERE metadata ? 'causation_id'"
    ),
    "commands_seq_idx": "(seq)",
}


def upgrade() -> None:
    op.execute(TABLE)
    # What is made here is committed before the functions, which look things up by it.
    with op.get_context().autocommit_block():
        for name, on in INDEXES.items():
            # An interrupted build leaves an invalid index.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS public.{name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON public.commands {on}")
    create_functions(
        op.get_bind(),
        "take",
        "waiting",
        "cancel_command",
        "retry_command",
        "abandon_command",
        "begin_pruning",
        "prune_commands",
    )
    grant_rights(op.get_bind())


# No downgrade: commands would be left with what the version before does not know.
