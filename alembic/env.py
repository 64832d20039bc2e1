"""How migrations reach the database; `alembic upgrade head` starts here."""

import os
import time
from contextlib import suppress

import sqlalchemy as sa
from alembic import context

from eventstore.connection import driver_connection
from eventstore.database.rights_checks import check_rights
from eventstore.errors import RebuildFailed
from eventstore.projections.comments import ensure_comments
from eventstore.roles import grant_rights
from eventstore.session_errors import UnfitSession
from tasks.shop.bad_setting import stop_for
from tasks.shop.claims_backfill import describe_unclaimed, fill
from tasks.shop.rebuild import find_unfit, rebuild
from tasks.shop.reporting.install import (
    ReportingInUse,
    drop_reporting,
    ensure_reporting,
)
from tasks.shop.settings import load_settings
from tasks.shop.wiring import Shop, schema_is_current, schema_mismatch

shop = Shop(load_settings("admin"))


def migrate() -> None:
    """Run the migrations, and make what the engine itself makes of its definitions."""
    if (wrong := schema_mismatch(shop.engine)) and wrong.is_newer:
        stop_for(f"{wrong.what}; {wrong.remedy}")
    with shop.engine.connect() as connection:
        # Two that migrate at once: the second waits, and finds nothing left to do. It
        # asks again and again, since an index that is made beside writers waits for
        # every statement that runs, and would wait for one that waits for the lock.
        while not connection.scalar(
            sa.text("SELECT pg_try_advisory_lock(hashtext('migrations'))")
        ):
            connection.rollback()
            time.sleep(0.2)
        connection.commit()
        if not schema_is_current(shop.engine):
            # A column that a view reads cannot be changed. Where they cannot go, it is
            # for the migration to say whether it needs that.
            with suppress(ReportingInUse):
                drop_reporting(shop.engine)
        context.configure(connection=connection, transaction_per_migration=True)
        with context.begin_transaction():
            context.run_migrations()
    if schema_is_current(shop.engine):
        mend_rights(shop.engine)
        make_reporting(shop.engine)
        # Of customers that were registered by a version that claimed nothing.
        for unclaimed in fill(shop):
            print(describe_unclaimed(unclaimed))
        # Before a process of that version can accept commands that they must handle.
        shop.deploy_process_managers()
        # With a new version may come new read models, or new definitions of old ones:
        # filled here, before a process of that version can show half of one.
        fill_read_models()
    shop.engine.dispose()


def mend_rights(engine: sa.Engine) -> None:
    """
    Grant the roles their missing rights, and print what was missing.

    A dump brings no roles along, and rights are also given and taken by hand.
    """
    with engine.begin() as connection:
        wrong = list(check_rights(driver_connection(connection)))
        if wrong:
            grant_rights(connection)
    for ailment in wrong:
        print(f"mended: {ailment.what}")


def make_reporting(engine: sa.Engine) -> None:
    """Make the views and functions for reports, and say what keeps it from that."""
    try:
        ensure_reporting(engine)
    except ReportingInUse as error:
        print(f"the views for reports are as they were: {error}")


def fill_read_models() -> None:
    """
    Fill those that are missing or of another definition, by an operator's login.

    Never as the owner: the tables belong to those who fill them, and whatever one of
    their logins has hung on a table is run with the rights of who writes into it.
    """
    filler = shop
    if os.environ.get("OPERATOR_DATABASE_URL"):
        filler = Shop(load_settings("operator"))
    try:
        outdated = find_unfit(filler)
    except sa.exc.OperationalError as error:
        print(f"the read models are as they were: run recount rebuild --all ({error})")
        return
    for projection in outdated:
        try:
            rebuilt = rebuild(filler, projection, show=lambda _: None)
        except RebuildFailed as error:
            # It stands still until it is mended; the shop does not.
            print(error)
            continue
        if rebuilt.position:
            print(f"filled {projection.name} up to position {rebuilt.position}")
    with filler.lent() as connection:
        # Of those that were filled by a version with other comments.
        for projection in filler.projections:
            ensure_comments(connection, projection)
    filler.engine.dispose()


if context.is_offline_mode():
    stop_for("the migrations need a database: --sql is not offered")
try:
    migrate()
except sa.exc.OperationalError as error:
    if isinstance(error.orig, UnfitSession):
        stop_for(str(error.orig))
    raise
