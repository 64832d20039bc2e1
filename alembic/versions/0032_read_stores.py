"""
Read stores: how the copies in other servers stand, and which rows they refused.

The copies have their checkpoints themselves, so that a store that was emptied or
restored goes on from what it has. Here is what operators ask for, and what they see.
"""

from alembic import op

from eventstore.roles import grant_rights

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE IF NOT EXISTS public.read_stores (
    store varchar NOT NULL,
    read_model varchar NOT NULL,
    term bigint NOT NULL DEFAULT 0,
    serving bigint,
    upcoming bigint,
    previous bigint,
    generation integer,
    position bigint,
    rows bigint,
    filled bigint,
    expected bigint,
    certified_at timestamptz,
    error varchar,
    error_since timestamptz,
    compared_at timestamptz,
    compared_rows bigint,
    differences bigint,
    first_difference varchar,
    wanted varchar,
    wanted_at timestamptz,
    answer varchar,
    forgotten bigint NOT NULL DEFAULT 0,
    CONSTRAINT read_stores_pkey PRIMARY KEY (store, read_model),
    CONSTRAINT read_stores_wanted_check CHECK (wanted IN ('rebuild', 'rollback'))
) WITH (fillfactor = 25);
CREATE TABLE IF NOT EXISTS public.refused_rows (
    store varchar NOT NULL,
    read_model varchar NOT NULL,
    copy bigint NOT NULL,
    key varchar NOT NULL,
    change bigint NOT NULL,
    error varchar NOT NULL,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT refused_rows_pkey PRIMARY KEY (store, read_model, copy, key)
);
"""


def upgrade() -> None:
    op.execute(TABLES)
    grant_rights(op.get_bind())


# No downgrade: the version before leaves the tables alone.
