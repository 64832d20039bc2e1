"""
Whoever comes for a stream that somebody has takes along what waits beyond.

Two processes that came for neighbours were in each other's way: the second found its
stream taken along by the first, and so for each message until the first was done.
"""

from alembic import op

from eventstore.roles import grant_rights
from eventstore.sql import create_functions

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "DROP FUNCTION IF EXISTS"
        " public.take_many(uuid[], text, integer, integer, integer, text[])"
    )
    create_functions(op.get_bind(), "take_many", "take_ahead")
    # What was granted is gone with the old one.
    grant_rights(op.get_bind())


# No downgrade: the version before can work with these.
