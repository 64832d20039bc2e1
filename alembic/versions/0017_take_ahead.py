"""
A runner takes along what waits right behind its command: one commit for all of it.

Where many waited, one by one, each command paid for two round trips and a commit that
is on the disk: a quarter of the rate of a Celery task that does nothing.
"""

from alembic import op

from eventstore.roles import grant_rights
from eventstore.sql import create_functions

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_functions(op.get_bind(), "take_ahead")
    grant_rights(op.get_bind())


# No downgrade: the version before does not call it.
