"""
The engine: the log, the journal, the subscriptions.

The tables stand here as they were when this was written; the functions are those of
`eventstore/sql/`, which replace themselves.
"""

from alembic import op

from eventstore.sql import create_functions

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE public.events (
    id bigint GENERATED ALWAYS AS IDENTITY (CACHE 1) CONSTRAINT events_pkey PRIMARY KEY,
    stream_id varchar NOT NULL,
    type varchar NOT NULL,
    version integer NOT NULL CONSTRAINT events_version_check CHECK (version > 0),
    data jsonb NOT NULL,
    metadata jsonb NOT NULL,
    occurred_at timestamptz NOT NULL,
    CONSTRAINT events_stream_id_version_key UNIQUE (stream_id, version)
);

CREATE TABLE public.commands (
    id uuid CONSTRAINT commands_pkey PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    stream_id varchar NOT NULL,
    type varchar NOT NULL,
    data jsonb NOT NULL,
    metadata jsonb NOT NULL,
    principal varchar NOT NULL,
    fingerprint bytea NOT NULL,
    expected_version integer,
    status varchar NOT NULL DEFAULT 'accepted'
        CONSTRAINT commands_status_check CHECK (status IN (
            'accepted', 'succeeded', 'rejected', 'failed', 'abandoned', 'cancelled'
        )),
    accepted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    not_before timestamptz,
    next_try_at timestamptz,
    started_at timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    conflicts integer NOT NULL DEFAULT 0,
    ran_by varchar,
    finished_at timestamptz,
    position bigint,
    error jsonb
) WITH (fillfactor = 80);

CREATE INDEX commands_waiting_idx
    ON public.commands (stream_id, coalesce(not_before, accepted_at), seq)
    WHERE status = 'accepted';

CREATE INDEX commands_failed_idx
    ON public.commands (finished_at)
    WHERE status = 'failed';

CREATE TABLE public.command_incidents (
    id bigint GENERATED ALWAYS AS IDENTITY
        CONSTRAINT command_incidents_pkey PRIMARY KEY,
    command_id uuid NOT NULL,
    kind varchar NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    detail jsonb NOT NULL DEFAULT '{}'
);

CREATE INDEX command_incidents_command_id_idx
    ON public.command_incidents (command_id);

CREATE TABLE public.subscriptions (
    name varchar CONSTRAINT subscriptions_pkey PRIMARY KEY,
    checkpoint bigint NOT NULL DEFAULT 0,
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    stopped_at_position bigint,
    error jsonb
);

CREATE UNLOGGED TABLE public.signals (
    name varchar CONSTRAINT signals_pkey PRIMARY KEY
);

CREATE TABLE public.generations (
    read_model varchar CONSTRAINT generations_pkey PRIMARY KEY,
    live integer NOT NULL
);
"""


def upgrade() -> None:
    op.execute(TABLES)
    create_functions(op.get_bind())


# No downgrade: it would drop the log, and with it everything that ever happened.
