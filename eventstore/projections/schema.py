"""The table of generations: which are live, and their definition hashes."""

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
