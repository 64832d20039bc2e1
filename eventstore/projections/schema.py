"""Which generations are live, how each was filled, and whose changes are kept."""

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

fillings = sa.Table(
    "fillings",
    metadata,
    # By its name, `order_list_g2`: by which definition and which code it was filled.
    sa.Column("generation", sa.String, primary_key=True),
    sa.Column("read_model", sa.String, nullable=False),
    sa.Column("shape", sa.String),
    # NULL: nobody knows, or several.
    sa.Column("fold_version", sa.String),
    # How many processes fill it, each with a checkpoint of its own.
    sa.Column("parts", sa.Integer, nullable=False, server_default=sa.text("1")),
    sa.Column("phase", sa.String, nullable=False, server_default="filling"),
    # Events that were read, of so many that are to be read.
    sa.Column("done", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("total", sa.BigInteger),
    sa.Column("seconds_left", sa.Double),
    # Seconds that reading took, and what came after it: for the next estimate.
    sa.Column("seconds_filled", sa.Double, nullable=False, server_default=sa.text("0")),
    sa.Column("seconds_after", sa.Double),
    # Rows that differed from the live ones when they were compared last.
    sa.Column("differing", sa.BigInteger),
    sa.Column(
        "begun_at",
        sa.TIMESTAMP(timezone=True),
        nullable=False,
        server_default=sa.func.clock_timestamp(),
    ),
    sa.CheckConstraint(
        "phase IN ('filling', 'comparing', 'indexing', 'swapping', 'filled')",
        name="phase",
    ),
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
