"""
Webhooks: their settings, their secrets, and how far each has been delivered.

Three tables, because three roles need different parts: the web counts from
`webhook_progress` and sees neither addresses nor secrets, the relay delivers and may
change nothing but the progress, and operators change all of it. An address may have a
secret in it.
"""

from alembic import op

from eventstore.roles import grant_rights

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE IF NOT EXISTS public.webhooks (
    name varchar NOT NULL PRIMARY KEY,
    -- Another one may be added under a name that was removed.
    id uuid NOT NULL UNIQUE,
    url text NOT NULL,
    -- The events that are wanted, by their present types; NULL is all.
    types varchar[],
    category varchar,
    -- Whether personal fields are shown; otherwise they are masked.
    is_personal boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT webhooks_name CHECK (name ~ '^[a-z][a-z0-9._-]{0,59}$')
);
CREATE TABLE IF NOT EXISTS public.webhook_secrets (
    id uuid NOT NULL PRIMARY KEY,
    webhook varchar NOT NULL REFERENCES public.webhooks (name) ON DELETE CASCADE,
    -- The name of the master key that wraps it; a bare secret is never stored.
    master varchar NOT NULL,
    wrapped bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- NULL: the one in force. The one before it signs beside it until then.
    valid_until timestamptz
);
CREATE UNIQUE INDEX IF NOT EXISTS webhook_secrets_in_force
    ON public.webhook_secrets (webhook) WHERE valid_until IS NULL;
CREATE TABLE IF NOT EXISTS public.webhook_progress (
    name varchar NOT NULL PRIMARY KEY
        REFERENCES public.webhooks (name) ON DELETE CASCADE,
    -- That of the webhook: what a sender writes for a removed one is refused.
    id uuid NOT NULL,
    state varchar NOT NULL DEFAULT 'active',
    state_since timestamptz NOT NULL DEFAULT clock_timestamp(),
    stopped_because text,
    -- Raised by an operator who changes the place: what the sender writes for an
    -- earlier turn is refused.
    turn integer NOT NULL DEFAULT 0,
    -- All events up to here are delivered, but for those of the streams in `streams`,
    -- each of which is delivered up to the position that is noted with it.
    position bigint NOT NULL,
    event_id uuid,
    streams jsonb NOT NULL DEFAULT '[]',
    -- How many attempts ended in which way.
    outcomes jsonb NOT NULL DEFAULT '{}',
    last_answer text,
    answered_at timestamptz,
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT webhook_progress_state CHECK (state IN ('active', 'paused', 'stopped'))
) WITH (fillfactor = 25);
"""


def upgrade() -> None:
    op.execute(TABLES)
    grant_rights(op.get_bind())


# No downgrade: the version before leaves the tables alone.
