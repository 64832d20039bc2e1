"""
Changes of rows: which read models are followed, and the last change of each generation.

Another service could follow the events, but not the rows made of them: it had to fold
events itself, or to compare whole lists.
"""

from alembic import op

from eventstore.roles import grant_rights

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE IF NOT EXISTS public.followed_read_models (
    read_model varchar NOT NULL CONSTRAINT followed_read_models_pkey PRIMARY KEY,
    epoch varchar NOT NULL,
    followed_since timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE IF NOT EXISTS public.change_counters (
    generation varchar NOT NULL CONSTRAINT change_counters_pkey PRIMARY KEY,
    change bigint NOT NULL
) WITH (fillfactor = 10);
"""
# The tables of changes, their functions and triggers would write into what is gone.
UNFOLLOW = """
DO $$
DECLARE
    generation varchar;
BEGIN
    FOR generation IN SELECT k.generation FROM public.change_counters AS k LOOP
        EXECUTE format(
            'DROP FUNCTION IF EXISTS readmodels.%I CASCADE', generation || '_changes'
        );
        EXECUTE format(
            'DROP TABLE IF EXISTS readmodels.%I', generation || '_changes'
        );
    END LOOP;
END
$$;
DROP TABLE public.change_counters;
DROP TABLE public.followed_read_models;
"""


def upgrade() -> None:
    op.execute(TABLES)
    grant_rights(op.get_bind())


def downgrade() -> None:
    op.execute(UNFOLLOW)
