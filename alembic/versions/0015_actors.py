"""
Who has sent a command is the actor of its events, and nobody can say otherwise.

The worker asks for the rights of users alone, and tells them by the actor: a web that
was broken into could have named a process there, and would have needed no right.
"""

from alembic import op

from eventstore.sql import create_functions

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_functions(op.get_bind(), "accept", "accept_many")


# No downgrade: the version before sends nothing that is refused here.
