"""
Who takes many streams looks at each command that was named by its key.

With figures from before many waited, PostgreSQL went through all that wait for each of
them: with 100,000 waiting, millions of rows to take thirty streams.
"""

from alembic import op

from eventstore.sql import create_functions

revision = "0019"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_functions(op.get_bind(), "take_many")


# No downgrade: the version before can work with it.
