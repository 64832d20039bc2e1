"""Numbers for products that bring no number of their own."""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SEQUENCE IF NOT EXISTS public.product_numbers AS bigint")


# No downgrade: the version before leaves the sequence alone.
