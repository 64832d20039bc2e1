"""
The audit of rows: how far it has looked, and which rows it found wrong.

It goes on where it was when its process ended, and each row is looked at once in a
round. Of a wrong row the key and the columns are kept, and no value.
"""

from alembic import op

from eventstore.roles import grant_rights

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE IF NOT EXISTS public.audit_walks (
    name varchar NOT NULL,
    generation integer NOT NULL DEFAULT 0,
    pages bigint NOT NULL DEFAULT 0,
    first bigint NOT NULL DEFAULT 0,
    stride bigint NOT NULL DEFAULT 1,
    done bigint NOT NULL DEFAULT 0,
    rounds bigint NOT NULL DEFAULT 0,
    begun_at timestamptz,
    ended_at timestamptz,
    rows bigint NOT NULL DEFAULT 0,
    left_out bigint NOT NULL DEFAULT 0,
    seconds double precision NOT NULL DEFAULT 0,
    looked_at timestamptz,
    rests_until timestamptz,
    CONSTRAINT audit_walks_pkey PRIMARY KEY (name)
);
CREATE TABLE IF NOT EXISTS public.wrong_rows (
    read_model varchar NOT NULL,
    place varchar NOT NULL,
    key varchar NOT NULL,
    generation integer NOT NULL,
    kind varchar NOT NULL,
    columns varchar[] NOT NULL,
    streams varchar[] NOT NULL,
    found_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT wrong_rows_pkey PRIMARY KEY (read_model, place, key)
);
"""


def upgrade() -> None:
    op.execute(TABLES)
    grant_rights(op.get_bind())


# No downgrade: the version before leaves the tables alone.
