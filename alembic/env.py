"""How migrations reach the database; `alembic upgrade head` starts here."""

import sqlalchemy as sa
from alembic import context

from tasks.settings import load_settings

engine = sa.create_engine(load_settings().database_url)

with engine.connect() as connection:
    # Two that migrate at once: the second waits, and finds nothing left to do.
    connection.execute(sa.text("SELECT pg_advisory_lock(hashtext('migrations'))"))
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
engine.dispose()
