"""
A command has its turn by a number: no clock says what comes first, or what is due.

Order was by `not_before`, or else by when a command was accepted. A database whose
clock went back (a day, after a crash) let what it had accepted before sleep until that
time came again, and what was accepted later went before it. Nor could it tell whose
runner had died, which messages were lost, and who lives.
"""

from alembic import op

from eventstore.roles import grant_rights
from eventstore.sql import create_functions

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


COLUMNS = """
ALTER TABLE public.commands
    ADD COLUMN turn bigint,
    ADD COLUMN marked_under timestamptz;
ALTER TABLE public.prunings ADD COLUMN after_seq bigint NOT NULL DEFAULT 0
"""
# Running processes are in it again with their next heartbeat.
HEARTBEATS = """
DROP TABLE public.heartbeats;
CREATE TABLE public.heartbeats (
    process varchar CONSTRAINT heartbeats_pkey PRIMARY KEY,
    role varchar NOT NULL,
    started_at timestamptz NOT NULL,
    beat_at timestamptz NOT NULL,
    serves_commands boolean NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}',
    drawn bigint,
    received_up_to bigint,
    received_before bigint,
    passed_up_to bigint
) WITH (fillfactor = 50)
"""
# Commands that were begun keep their state: a mark from before a crash counts as no
# death.
KNOWN = """
UPDATE public.commands
SET marked_under = pg_postmaster_start_time()
WHERE status = 'accepted' AND started_at >= pg_postmaster_start_time();
UPDATE public.prunings AS p
SET after_seq = coalesce(
    (SELECT max(c.seq) FROM public.commands AS c WHERE c.accepted_at < p.begun_at), 0
);
ALTER TABLE public.prunings ALTER COLUMN after_seq DROP DEFAULT
"""
INDEXES = """
DROP INDEX public.commands_waiting_idx;
DROP INDEX public.commands_scheduled_idx;
DROP INDEX public.commands_unscheduled_idx;
CREATE INDEX commands_waiting_idx ON public.commands (stream_id, coalesce(turn, seq))
    WHERE status = 'accepted' AND (not_before IS NULL OR turn IS NOT NULL);
CREATE INDEX commands_waiting_streams_idx ON public.commands (stream_id COLLATE "C")
    WHERE status = 'accepted' AND (not_before IS NULL OR turn IS NOT NULL);
CREATE INDEX commands_scheduled_idx ON public.commands (not_before, seq)
    WHERE status = 'accepted' AND not_before IS NOT NULL AND turn IS NULL;
CREATE INDEX commands_scheduled_in_stream_idx
    ON public.commands (stream_id, not_before, seq)
    WHERE status = 'accepted' AND not_before IS NOT NULL AND turn IS NULL
"""
FUNCTIONS = (
    "accept",
    "accept_many",
    "backoff",
    "rests",
    "give_turns",
    "next_due",
    "take",
    "give_back",
    "lost_before",
    "waiting",
    "beat",
    "cancel_command",
    "retry_command",
    "begin_pruning",
    "prune_commands",
    "fence_holders",
)


def upgrade() -> None:
    for statements in (COLUMNS, KNOWN, HEARTBEATS, INDEXES):
        for statement in statements.split(";"):
            op.execute(statement)
    op.execute("DROP FUNCTION IF EXISTS public.lost_before(interval)")
    create_functions(op.get_bind(), *FUNCTIONS)
    grant_rights(op.get_bind())


# No downgrade: the order of what waits would be another one.
