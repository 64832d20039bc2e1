"""
What waits keeps its turn and its marks, and what is given up in a take is told.

A time that had passed when a command came with it let that command go before those that
were accepted earlier. A runner that failed took away the mark of whoever had the stream
by then. A command that killed its runners too often had no line in the log. And what
was pruned while a batch named it again had no answer in it.
"""

from alembic import op

from eventstore.sql import create_functions

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


FUNCTIONS = ("accept", "accept_many", "forget_marks", "prune_commands", "take")


def upgrade() -> None:
    create_functions(op.get_bind(), *FUNCTIONS)


# No downgrade: the version before can work with these.
