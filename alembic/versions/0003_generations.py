"""Store the definition hash of generations, so that a change is noticed."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # NULL: made before this was kept. It is taken for another shape, and rebuilt.
    op.execute("ALTER TABLE public.generations ADD COLUMN shape varchar")


def downgrade() -> None:
    op.execute("ALTER TABLE public.generations DROP COLUMN shape")
