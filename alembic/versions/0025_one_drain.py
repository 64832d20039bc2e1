"""
One way to finish for one stream and for many: `finish` takes the streams as an array.

Workers of the version before call what is dropped here: stop them first, as for each
migration that says so.
"""

from alembic import op

from eventstore.roles import grant_rights
from eventstore.sql import create_functions

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "DROP PROCEDURE IF EXISTS public.finish(text, text[], integer[], integer[],"
        " text[], jsonb[], jsonb[], timestamptz[], uuid[], text[], jsonb[], text,"
        " jsonb, jsonb, text[], uuid, boolean)"
    )
    op.execute("DROP PROCEDURE IF EXISTS public.finish_many")
    create_functions(op.get_bind(), "finish")
    grant_rights(op.get_bind())


# No downgrade: the version before needs the procedures that are gone.
