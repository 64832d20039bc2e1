"""
Functions whose parameters, variables and columns are named for what they hold.

None of them is named like a column of a table that its function reads or writes. What
takes return has a column for each thing. `append` writes to the log alone;
`append_and_complete` calls it and completes the commands.

PostgreSQL cannot rename a parameter or a column of what is returned, so these functions
are dropped and made again, and get their grants again. Processes of the version before
call them by what is dropped here: stop them first, as for 0025.
"""

from alembic import op

from eventstore.roles import grant_rights
from eventstore.sql import create_functions

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

# It has other arguments now: replacing it would leave two of that name.
DROPPED = """
DROP FUNCTION IF EXISTS public.append(
    text[], integer[], integer[], text[], jsonb[], jsonb[], timestamptz[], uuid[],
    text[], jsonb[], jsonb, jsonb, text[]
)
"""


def upgrade() -> None:
    op.execute(DROPPED)
    create_functions(op.get_bind())
    grant_rights(op.get_bind())


# No downgrade: the version before needs the functions as they were.
