"""Which generation of each read model is the live one."""

import sqlalchemy as sa

from eventstore.tables import metadata

generations = sa.Table(
    "generations",
    metadata,
    sa.Column("read_model", sa.String, primary_key=True),
    sa.Column("live", sa.Integer, nullable=False),
)
