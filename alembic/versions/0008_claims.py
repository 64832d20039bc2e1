"""
Values that one stream at a time may have, and indexes for who follows from whom.

The indexes are made while everything goes on being written, outside of a transaction:
a migration that is stopped there is run again from its beginning.
"""

from alembic import op

from eventstore.sql import create_functions

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE IF NOT EXISTS public.unique_claims (
    scope varchar,
    keyed_hash bytea,
    stream_id varchar NOT NULL,
    CONSTRAINT unique_claims_pkey PRIMARY KEY (scope, keyed_hash)
)
"""

INDEXES = {
    "events_event_id_idx": "((metadata ->> 'event_id')::uuid)",
    "events_causation_id_idx": "((metadata ->> 'causation_id')::uuid)",
    "events_correlation_id_idx": "((metadata ->> 'correlation_id')::uuid)",
}
ONLY = {
    "events_correlation_id_idx": (
        "WHERE metadata ->> 'correlation_id' <> metadata ->> 'causation_id'"
    )
}


def upgrade() -> None:
    op.execute(TABLE)
    # Both have one argument more now, with a default: workers that still run the
    # version before go on calling them as they did. Replacing them would leave two of
    # each name.
    op.execute(
        "DROP FUNCTION IF EXISTS public.append(text[], integer[], integer[], text[],"
        " jsonb[], jsonb[], timestamptz[], uuid[], text[], jsonb[])"
    )
    op.execute(
        "DROP PROCEDURE IF EXISTS public.finish(text, text[], integer[], integer[],"
        " text[], jsonb[], jsonb[], timestamptz[], uuid[], text[], jsonb[], text,"
        " uuid, boolean)"
    )
    create_functions(op.get_bind(), "claim", "claimed", "append", "finish")
    # What is above is committed before: this alone takes long.
    with op.get_context().autocommit_block():
        for name, expression in INDEXES.items():
            # An interrupted build leaves an invalid index.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS public.{name}")
            op.execute(
                f"CREATE INDEX CONCURRENTLY {name} ON public.events ({expression})"
                f" {ONLY.get(name, '')}"
            )


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"DROP INDEX public.{name}")
    # The functions stay: called as the version before does it, they claim nothing.
    op.execute("DROP TABLE public.unique_claims")
