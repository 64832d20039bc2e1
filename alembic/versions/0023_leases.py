"""
The lock of a stream becomes a lease: who is silent for three seconds loses it.

A worker that was stopped while it held a stream kept it for as long as it stood still:
its session lived, and with it the lock, which nothing but its end lets go.
"""

from alembic import op

from eventstore.sql import create_functions

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_functions(op.get_bind(), "take", "release")


# No downgrade: the version before can work with these. While it runs beside, what it
# decides for longer than three seconds is taken from it, and decided once more.
