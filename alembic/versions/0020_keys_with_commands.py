"""
Whoever takes commands gets the keys that open them with them.

To ask for them was a round trip of its own, before the first command could be read.
"""

from alembic import op

from eventstore.sql import create_functions

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_functions(op.get_bind(), "take")


# No downgrade: the version before passes over rows of a kind that it does not know.
