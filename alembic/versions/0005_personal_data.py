"""Personal data are encrypted with keys of their subjects, which live in the vault."""

from alembic import op

from eventstore.sql import create_functions

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE vault.keys (
    id uuid CONSTRAINT keys_pkey PRIMARY KEY,
    subject varchar NOT NULL,
    command_id uuid,
    master varchar,
    wrapped bytea,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    destroyed_at timestamptz,
    CONSTRAINT keys_destroyed_check
        CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
)
"""
INDEXES = """
CREATE UNIQUE INDEX keys_subject_key ON vault.keys (subject) WHERE command_id IS NULL;
CREATE INDEX keys_subject_idx ON vault.keys (subject);
CREATE INDEX keys_command_id_idx ON vault.keys (command_id)
    WHERE command_id IS NOT NULL
"""
# They have more arguments now: replacing them would leave two of that name.
REPLACED = """
DROP FUNCTION IF EXISTS public.append(
    text[], integer[], integer[], text[], jsonb[], jsonb[], timestamptz[], uuid[],
    text[], jsonb[]
);
DROP PROCEDURE IF EXISTS public.finish(
    text, text[], integer[], integer[], text[], jsonb[], jsonb[], timestamptz[],
    uuid[], text[], jsonb[], text, uuid, boolean
);
DROP FUNCTION IF EXISTS public.accept(
    uuid, text, text, text, text, jsonb, jsonb, text, bytea, integer, timestamptz
)
"""


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS vault")
    op.execute(TABLE)
    op.execute(INDEXES)
    op.execute(REPLACED)
    op.execute("INSERT INTO public.subscriptions (name) VALUES ('forgetting')")
    # Their states are unencrypted; they are taken again, encrypted.
    op.execute("DELETE FROM public.snapshots")
    create_functions(op.get_bind())


# No downgrade: without the keys, later events could not be read.
