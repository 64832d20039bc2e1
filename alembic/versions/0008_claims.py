"""Values that one stream at a time may have, such as a customer's e-mail address."""

from alembic import op

from eventstore.sql import create_functions

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE public.unique_claims (
    scope varchar,
    keyed_hash bytea,
    stream_id varchar NOT NULL,
    CONSTRAINT unique_claims_pkey PRIMARY KEY (scope, keyed_hash)
)
"""


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


def downgrade() -> None:
    # The functions stay: called as the version before does it, they claim nothing.
    op.execute("DROP TABLE public.unique_claims")
