"""The shop's numbers: orders and customers count from 1, so staff never meet a UUID."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SEQUENCE public.order_numbers AS bigint")
    op.execute("CREATE SEQUENCE public.customer_numbers AS bigint")


def downgrade() -> None:
    op.execute("DROP SEQUENCE public.customer_numbers")
    op.execute("DROP SEQUENCE public.order_numbers")
