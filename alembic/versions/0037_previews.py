"""
Rights of the web: it tells what a command would cause, as a worker would decide it.

It loads streams, counts what waits in them, and asks whether a value is claimed. A form
that two people changed was merged from loaded states before; the web's own login could
not do that.
"""

from alembic import op

from eventstore.roles import grant_rights
from eventstore.sql import create_functions

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_functions(op.get_bind(), "count_waiting")
    grant_rights(op.get_bind())


# No downgrade: the version before does not use them.
