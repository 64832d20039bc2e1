"""What PostgreSQL knows of the stores: their standing, and rows that they refused."""

import sqlalchemy as sa

from eventstore.tables import metadata

MOMENT = sa.TIMESTAMP(timezone=True)

read_stores = sa.Table(
    "read_stores",
    metadata,
    sa.Column("store", sa.String, primary_key=True),
    sa.Column("read_model", sa.String, primary_key=True),
    # The last writer's; what an earlier one stores there is refused by the store.
    sa.Column("term", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    # Numbers of the copies that serve, are filled, and are kept for going back.
    sa.Column("serving", sa.BigInteger),
    sa.Column("upcoming", sa.BigInteger),
    sa.Column("previous", sa.BigInteger),
    sa.Column("generation", sa.Integer),
    sa.Column("position", sa.BigInteger),
    # Keys that the serving copy has, and the one that is filled.
    sa.Column("rows", sa.BigInteger),
    sa.Column("filled", sa.BigInteger),
    sa.Column("expected", sa.BigInteger),
    # When the serving copy had all changes.
    sa.Column("certified_at", MOMENT),
    sa.Column("error", sa.String),
    sa.Column("error_since", MOMENT),
    sa.Column("compared_at", MOMENT),
    sa.Column("compared_rows", sa.BigInteger),
    sa.Column("differences", sa.BigInteger),
    sa.Column("first_difference", sa.String),
    # What an operator asked of the writer.
    sa.Column("wanted", sa.String),
    sa.Column("wanted_at", MOMENT),
    sa.Column("answer", sa.String),
    # The position of the last event by which somebody was forgotten.
    sa.Column("forgotten", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.CheckConstraint("wanted IN ('rebuild', 'rollback')", name="wanted"),
    # Written once a second: room for it in each page.
    postgresql_with={"fillfactor": "25"},
)

refused_rows = sa.Table(
    "refused_rows",
    metadata,
    sa.Column("store", sa.String, primary_key=True),
    sa.Column("read_model", sa.String, primary_key=True),
    sa.Column("copy", sa.BigInteger, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("change", sa.BigInteger, nullable=False),
    # The store's words, which may have a value of the row.
    sa.Column("error", sa.String, nullable=False),
    sa.Column(
        "since",
        MOMENT,
        nullable=False,
        server_default=sa.func.clock_timestamp(),
    ),
)
