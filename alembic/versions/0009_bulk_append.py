"""
The append plans its statements once a session, and its locks for thousands of streams.

Each call was planned again for its arrays, which took a third of the time of
an append; and for each stream the list of all events was searched. Loading gets
the memory for a long stream.
"""

from alembic import op

from eventstore.sql import create_functions

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_functions(op.get_bind(), "append", "load", "take")


# No downgrade: the version before calls the same functions.
