"""
Many streams are taken by the keys of their commands, and given back by their locks.

With figures from before many waited, PostgreSQL went through all that wait for each
command that was named: with 100,000 waiting, millions of rows to take thirty streams.
And who gave back thirty of them took away the marks of whoever took one just then.
"""

from alembic import op

from eventstore.sql import create_functions

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_functions(op.get_bind(), "forget_marks", "take_many")


# No downgrade: the version before can work with these.
