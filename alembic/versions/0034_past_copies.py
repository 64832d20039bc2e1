"""
Copies of the past: read models as of a moment, who wants one, and how far it is.

Copies are caches. They and their registry are unlogged: they are written faster, are in
no backup, and after a crash all of them are empty, so that they agree.
"""

from alembic import op

from eventstore.roles import grant_rights

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

TABLE = """
CREATE UNLOGGED TABLE IF NOT EXISTS public.past_copies (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    read_model varchar NOT NULL,
    shape varchar NOT NULL,
    fold_version varchar NOT NULL,
    at timestamptz,
    up_to bigint NOT NULL,
    until timestamptz,
    looked bigint,
    greatest bigint,
    event_id varchar,
    has_ended boolean NOT NULL DEFAULT false,
    next_at timestamptz,
    forgotten_up_to bigint NOT NULL DEFAULT 0,
    state varchar NOT NULL DEFAULT 'wanted',
    done bigint NOT NULL DEFAULT 0,
    goal bigint NOT NULL DEFAULT 0,
    tries integer NOT NULL DEFAULT 0,
    rows bigint,
    bytes bigint,
    left_out bigint NOT NULL DEFAULT 0,
    error varchar,
    asked_by varchar NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    begun_at timestamptz,
    made_at timestamptz,
    used_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT past_copies_state_check
        CHECK (state IN ('wanted', 'filling', 'ready', 'failed', 'dropped'))
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX IF NOT EXISTS past_copies_wish_idx ON public.past_copies (
    read_model, shape, fold_version, coalesce(at, 'infinity'),
    (CASE WHEN at IS NULL THEN up_to ELSE 0 END)
) WHERE state IN ('wanted', 'filling');
"""


def upgrade() -> None:
    op.execute(TABLE)
    grant_rights(op.get_bind())


# No downgrade: the version before leaves the table alone.
