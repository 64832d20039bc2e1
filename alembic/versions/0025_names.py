"""
One way to finish for one stream and for many, and functions in the field's words.

`finish` takes the streams as an array. What takes words from errors, and what notes how
far a process manager has acted, is called by what it does.

Processes of the version before call what is dropped here: stop them first. Recount was
not released before; from now on a function that changes its signature stays beside the
new one for a release.
"""

from alembic import op

from eventstore.roles import grant_rights
from eventstore.sql import create_functions

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

FUNCTIONS = (
    "redacted_error",
    "storable_error",
    "redact_errors_of",
    "destroy_keys",
    "append",
    "give_back",
    "record_progress",
    "finish",
)
DROPPED = """
DROP PROCEDURE IF EXISTS public.finish(
    text, text[], integer[], integer[], text[], jsonb[], jsonb[], timestamptz[], uuid[],
    text[], jsonb[], text, jsonb, jsonb, text[], uuid, boolean
);
DROP PROCEDURE IF EXISTS public.finish_many;
DROP FUNCTION IF EXISTS public.blank_errors;
DROP FUNCTION IF EXISTS public.kept_error;
DROP FUNCTION IF EXISTS public.without_words;
DROP FUNCTION IF EXISTS public.act;
"""


def upgrade() -> None:
    op.execute(DROPPED)
    create_functions(op.get_bind(), *FUNCTIONS)
    grant_rights(op.get_bind())


# No downgrade: the version before needs the functions that are gone.
