"""Which generations are live, and whose changes are kept for followers."""

import sqlalchemy as sa

from eventstore.tables import metadata

generations = sa.Table(
    "generations",
    metadata,
    sa.Column("read_model", sa.String, primary_key=True),
    sa.Column("live", sa.Integer, nullable=False),
    # The definition it was made from, hashed; another one needs another generation.
    sa.Column("shape", sa.String),
)

followed_read_models = sa.Table(
    "followed_read_models",
    metadata,
    sa.Column("read_model", sa.String, primary_key=True),
    # A new one each time that following begins, so that older cursors are refused.
    sa.Column("epoch", sa.String, nullable=False),
    sa.Column(
        "followed_since",
        sa.TIMESTAMP(timezone=True),
        nullable=False,
        server_default=sa.func.clock_timestamp(),
    ),
)

change_counters = sa.Table(
    "change_counters",
    metadata,
    # By its name, `order_list_g1`: the number of its last change.
    sa.Column("generation", sa.String, primary_key=True),
    sa.Column("change", sa.BigInteger, nullable=False),
    # Written as often as checkpoints are: room for it in each page.
    postgresql_with={"fillfactor": "10"},
)
