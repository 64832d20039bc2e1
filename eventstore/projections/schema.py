"""Which generation of each read model is the live one, and what it was made for."""

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
