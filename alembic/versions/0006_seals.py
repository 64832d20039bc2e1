"""Seals: a chain of hashes over the log, so that a changed past is seen."""

from alembic import op

from eventstore.sql import create_functions

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE public.seals (
    number bigint CONSTRAINT seals_pkey PRIMARY KEY,
    after bigint NOT NULL,
    up_to bigint NOT NULL,
    count integer NOT NULL,
    imprint bytea NOT NULL,
    previous bytea NOT NULL,
    sealed_at timestamptz NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT seals_stretch_check CHECK (count BETWEEN 0 AND up_to - after),
    CONSTRAINT seals_previous_check CHECK (octet_length(previous) = 32)
)
"""


def upgrade() -> None:
    op.execute(TABLE)
    create_functions(
        op.get_bind(), "imprint", "seal_hash", "begin_seals", "seal", "keep_seals"
    )


def downgrade() -> None:
    # The chain starts again at the next upgrade, and older exports do not fit it.
    op.execute("DROP FUNCTION public.seal")
    op.execute("DROP FUNCTION public.begin_seals")
    op.execute("DROP FUNCTION public.seal_hash")
    op.execute("DROP FUNCTION public.imprint")
    op.execute("DROP TABLE public.seals")
    op.execute("DROP FUNCTION public.keep_seals")
    op.execute("DELETE FROM public.subscriptions WHERE name = 'seals'")
