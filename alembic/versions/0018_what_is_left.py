"""
Forgetting somebody reaches the words of errors, and a process beats as itself alone.

What a failed command left, in its row and among the incidents, may quote what was sent.
It was kept in the clear, and stayed when the keys of the person were destroyed.

Any role could end the beat of a process of another, or write over it: then the relay
runs the queue of a worker that seems to be gone.
"""

from alembic import op

from eventstore.sql import create_functions

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


FUNCTIONS = (
    "redacted_error",
    "storable_error",
    "redact_errors_of",
    "destroy_keys",
    "append",
    "give_back",
    "speaks_for",
    "beat",
    "end_beat",
)
# Of those who were forgotten before.
BLANK = """
SELECT public.redact_errors_of(array_agg(k.subject))
FROM vault.keys AS k
WHERE k.command_id IS NULL AND k.destroyed_at IS NOT NULL
"""


def upgrade() -> None:
    create_functions(op.get_bind(), *FUNCTIONS)
    op.execute(BLANK)


# No downgrade: the version before calls none of it by itself.
