"""
Beside each checkpoint stands its last event, and since when it stands still.

A checkpoint ahead of the log, after a restore or a slip of the hand, passed over events
for good, and all figures said that nothing was behind. The position alone does not tell
of which log it is.
"""

from alembic import op

from eventstore.roles import grant_rights
from eventstore.sql import create_functions

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

COLUMNS = """
ALTER TABLE public.subscriptions
    ADD COLUMN IF NOT EXISTS event_id varchar,
    ADD COLUMN IF NOT EXISTS stopped_since timestamptz;
ALTER TABLE public.process_managers ADD COLUMN IF NOT EXISTS event_id varchar;
"""
# Workers keep running meanwhile: no event can appear at or below their checkpoints.
FILLED = """
UPDATE public.subscriptions SET event_id = public.event_id_at(checkpoint);
UPDATE public.process_managers SET event_id = public.event_id_at(acted_up_to);
"""
FUNCTIONS = (
    "event_id_at",
    "checkpoint_fault",
    "place_of",
    "record_progress",
    "begin_acting",
    "seal",
    "note_event",
    "repair_checkpoint",
    "abandon_command",
)


def upgrade() -> None:
    op.execute(COLUMNS)
    create_functions(op.get_bind(), *FUNCTIONS)
    op.execute(FILLED)
    grant_rights(op.get_bind())


# No downgrade: the version before leaves the columns alone, the trigger keeps them.
