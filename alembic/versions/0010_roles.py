"""
Roles with the least that works, and functions that do the rest as the tables' owner.

The owner is no application's login any more, if one gives each process its own.
"""

from alembic import op

from eventstore.roles import grant_rights
from eventstore.sql import create_functions

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_functions(op.get_bind())
    grant_rights(op.get_bind())


# No downgrade: the version before runs as the owner, who may do all of it. Roles belong
# to the whole server, and other databases may use them.
