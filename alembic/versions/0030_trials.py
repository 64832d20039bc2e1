"""
A mark says whether a subscription is read alone because it is suspected.

A subscription that is the only one of its program was taken for the cause when its
process was killed from outside, since its mark looked like that of a suspect.
"""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE public.passes
        ADD COLUMN IF NOT EXISTS is_trial boolean NOT NULL DEFAULT false
        """
    )


# No downgrade: the version before leaves the column alone.
