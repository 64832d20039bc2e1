"""
Fillings: by which definition and which code each generation was filled, and how far.

A rebuild that was killed goes on where both are the same, and rows are compared with
what they replace. Of what was filled before, the code is not known.
"""

from alembic import op

from eventstore.roles import grant_rights

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE IF NOT EXISTS public.fillings (
    generation varchar NOT NULL,
    read_model varchar NOT NULL,
    shape varchar,
    fold_version varchar,
    parts integer NOT NULL DEFAULT 1,
    phase varchar NOT NULL DEFAULT 'filling',
    done bigint NOT NULL DEFAULT 0,
    total bigint,
    seconds_left double precision,
    seconds_filled double precision NOT NULL DEFAULT 0,
    seconds_after double precision,
    differing bigint,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT fillings_pkey PRIMARY KEY (generation),
    CONSTRAINT fillings_phase_check
        CHECK (phase IN ('filling', 'comparing', 'indexing', 'swapping', 'filled'))
);
INSERT INTO public.fillings (generation, read_model, shape, phase)
SELECT read_model || '_g' || live, read_model, shape, 'filled' FROM public.generations
ON CONFLICT DO NOTHING;
"""


def upgrade() -> None:
    op.execute(TABLES)
    grant_rights(op.get_bind())


# No downgrade: the version before leaves the table alone.
