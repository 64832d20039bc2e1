"""Numbers for transfers; process managers, which act on each event once."""

from alembic import op

from eventstore.roles import grant_rights
from eventstore.sql import create_functions

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE public.process_managers (
    name varchar CONSTRAINT process_managers_pkey PRIMARY KEY,
    acted_up_to bigint NOT NULL
)
"""


def upgrade() -> None:
    op.execute("CREATE SEQUENCE public.transfer_numbers AS bigint")
    op.execute(TABLE)
    create_functions(op.get_bind(), "accept", "begin_acting", "record_progress")
    grant_rights(op.get_bind())


def downgrade() -> None:
    # Their checkpoints are deleted, too: deployed again, they begin at the head.
    op.execute("DROP FUNCTION public.act")
    op.execute("DROP FUNCTION public.begin_acting")
    op.execute("DROP TABLE public.process_managers")
    op.execute("DROP SEQUENCE public.transfer_numbers")
