"""The tables of the audit: how far it has looked, and which rows it found wrong."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from eventstore.tables import metadata

MOMENT = sa.TIMESTAMP(timezone=True)

audit_walks = sa.Table(
    "audit_walks",
    metadata,
    # The name of a read model, or * for the streams of the log.
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("generation", sa.Integer, nullable=False, server_default=sa.text("0")),
    # The round: of so many pages of the table, this one first, then each so much
    # further on, and so many of them are done.
    sa.Column("pages", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("first", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("stride", sa.BigInteger, nullable=False, server_default=sa.text("1")),
    sa.Column("done", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("rounds", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("begun_at", MOMENT),
    # When a round ended last: each row was looked at between both.
    sa.Column("ended_at", MOMENT),
    sa.Column("rows", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    # Rows that could not be made once more, in this round.
    sa.Column("left_out", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("seconds", sa.Double, nullable=False, server_default=sa.text("0")),
    sa.Column("looked_at", MOMENT),
    # No look is due before: so all of them use a small part of a core. Of * alone.
    sa.Column("rests_until", MOMENT),
)

wrong_rows = sa.Table(
    "wrong_rows",
    metadata,
    sa.Column("read_model", sa.String, primary_key=True),
    # `table`, or the name of a store.
    sa.Column("place", sa.String, primary_key=True),
    sa.Column("key", sa.String, primary_key=True),
    sa.Column("generation", sa.Integer, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    # Names, and never values: these would outlast that somebody is forgotten.
    sa.Column("columns", ARRAY(sa.String), nullable=False),
    # By which it is looked at once more.
    sa.Column("streams", ARRAY(sa.String), nullable=False),
    sa.Column(
        "found_at",
        MOMENT,
        nullable=False,
        server_default=sa.func.clock_timestamp(),
    ),
    sa.Column(
        "seen_at",
        MOMENT,
        nullable=False,
        server_default=sa.func.clock_timestamp(),
    ),
)
