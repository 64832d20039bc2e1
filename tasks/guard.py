"""No process begins its work on a database that would lose what it writes."""

import logging
from collections.abc import Sequence

from sqlalchemy.exc import OperationalError

from eventstore.doctor import FATAL_CHECKS, Ailment, diagnose
from eventstore.subscriptions.process_manager import never_deployed
from tasks.bootstrap import Shop, schema_is_current
from tasks.settings import stop_for

MIGRATE = "run `alembic upgrade head`, as ./recount up does"

log = logging.getLogger(__name__)


def refuse_what_loses_data(shop: Shop) -> None:
    """
    End the process, with exit status 78 and the reason, where data would be lost.

    A database that is away is waited for elsewhere, and asked by whoever starts again.
    """
    try:
        fatal = find_fatal(shop)
    except OperationalError:
        log.warning("the database does not answer: it is not known to be sound")
        return
    finally:
        # Nothing that was opened here goes along into a process that is forked.
        shop.engine.dispose()
    if fatal:
        worst = fatal[0]
        stop_for(f"{worst.what}; {worst.remedy}. recount doctor tells more")


def find_fatal(shop: Shop) -> list[Ailment]:
    if not schema_is_current(shop.engine):
        return [schema_ailment()]
    with shop.lent() as connection:
        missing = never_deployed(connection, shop.process_managers)
        if missing:
            return [deployment_ailment(missing)]
        return [a for a in diagnose(connection, FATAL_CHECKS) if a.is_fatal]


def deployment_ailment(missing: Sequence[str]) -> Ailment:
    what = f"{', '.join(missing)} would not hear of what is accepted now"
    return Ailment("process managers", what, MIGRATE, is_fatal=True)


def schema_ailment() -> Ailment:
    what = "the database's schema is not at head"
    return Ailment("schema", what, MIGRATE, is_fatal=True)
