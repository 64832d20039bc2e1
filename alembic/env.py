"""How migrations reach the database; `alembic upgrade head` starts here."""

import sqlalchemy as sa
from alembic import context

from tasks.bootstrap import Shop
from tasks.settings import load_settings

shop = Shop(load_settings())

with shop.engine.connect() as connection:
    # Two that migrate at once: the second waits, and finds nothing left to do.
    connection.execute(sa.text("SELECT pg_advisory_lock(hashtext('migrations'))"))
    connection.commit()
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
# What may be rebuilt is the engine's to make; it is made here as well, so that a shop
# without a worker yet answers with an empty list.
shop.ensure_read_models()
shop.engine.dispose()
