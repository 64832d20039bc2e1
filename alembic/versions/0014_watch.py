"""
Many commands are accepted in one round trip.

One by one each pays for a round trip and a commit of its own, and a file of a hundred
thousand has to wait for as many.
"""

from alembic import op

from eventstore.rights import grant_rights
from eventstore.sql import create_functions

revision = "0014"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_functions(op.get_bind(), "accept_many")
    grant_rights(op.get_bind())


# No downgrade: the version before calls none of it.
