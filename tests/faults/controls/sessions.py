"""What a session is, and when it is thrown away."""

from contextlib import closing, suppress
from types import SimpleNamespace
from uuid import UUID

import psycopg
import sqlalchemy as sa

from domain.accounts.commands import Deposit
from eventstore.sessions.session import Session
from tasks.commands import DatabaseAway
from tasks.shop.connections import pool_of
from tests.faults.checker.promises import FINAL
from tests.faults.controls.control import Control
from tests.faults.controls.drains import DECIDED_ONCE
from tests.faults.controls.scene import Scene
from tests.support.pooler import Pooler

SESSIONS = 8
"""Of one process; fewer than its pool may hold."""
TRIES = 5
ACCEPTED = "what is right is accepted at last"


def a_failover_leaves_sessions_that_only_read(scene: Scene) -> None:
    """Who accepts a command gives its session back to the pool, whatever happens."""
    deposit = Deposit(account_id=scene.account(), amount=7)
    lent = [scene.shop.autocommitting.connect() for _ in range(SESSIONS)]
    for connection in lent:
        connection.exec_driver_sql(
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
        )
    for connection in lent:
        connection.close()
    accepted: list[UUID] = []
    for _ in range(TRIES):
        with suppress(psycopg.Error, sa.exc.DBAPIError):
            accepted += scene.send(deposit)
            break
    scene.note(ACCEPTED, 1, [] if accepted else [deposit.account_id])
    scene.shop.engine.dispose()
    for command_id in accepted:
        scene.run(command_id)
    scene.read()


def keep_sessions_that_cannot_write(scene: Scene) -> None:
    scene.patch.setattr(Session, "note", lambda session, error: None)
    scene.patch.setattr("tasks.shop.connections.IDLE", 60.0)


def an_operator_sets_the_database_otherwise(scene: Scene) -> None:
    """The times that a command came with cannot be read in that form."""
    account = scene.account()
    ids = scene.send(*(Deposit(account_id=account, amount=n) for n in (1, 2, 3)))
    database = sa.make_url(scene.url).database
    scene.shop.engine.dispose()
    scene.connection.execute(
        f"ALTER DATABASE {database} SET DateStyle = German".encode()
    )
    try:
        for command_id in ids:
            with suppress(Exception):
                scene.run(command_id)
    finally:
        scene.connection.execute(f"ALTER DATABASE {database} RESET ALL".encode())
        scene.shop.engine.dispose()
    scene.read()


def take_a_session_as_it_comes(scene: Scene) -> None:
    scene.patch.setattr(
        "eventstore.sessions.opening.pins_for",
        lambda version, limits: {"statement_timeout": "0", **limits},
    )


def two_runners_come_through_a_pooler(scene: Scene) -> None:
    """It lends its one session to both by turns; then somebody has a way past it."""
    (command_id,) = scene.send(Deposit(account_id=scene.account(), amount=7))
    shop, decided = scene.with_second_runner(command_id)
    # Who is refused is refused at once.
    scene.patch.setattr("tasks.commands.SECONDS_TO_FORGET", 0.0)
    with closing(Pooler(scene.url, "transaction", servers=1)) as pooler:
        vars(shop)["engine"] = pool_of(pooler.url, "worker")
        with suppress(DatabaseAway):
            scene.run(command_id, shop)
        shop.engine.dispose()
    scene.end_rest()
    scene.run(command_id)
    scene.note(DECIDED_ONCE, 1, decided[1:])
    scene.read()


def take_a_shared_session_for_ones_own(scene: Scene) -> None:
    """Neither is it tried, nor does it bear a mark by which the next one knows it."""
    scene.patch.setattr("eventstore.sessions.opening.is_pooled", lambda *_: False)
    no_mark = SimpleNamespace(hex="")
    scene.patch.setattr("eventstore.sessions.looking.uuid4", lambda: no_mark)


CONTROLS = [
    Control(
        "a session that cannot write is closed, with all that are as old",
        a_failover_leaves_sessions_that_only_read,
        keep_sessions_that_cannot_write,
        ACCEPTED,
    ),
    Control(
        "a session sets the settings that its statements depend on",
        an_operator_sets_the_database_otherwise,
        take_a_session_as_it_comes,
        FINAL,
    ),
    Control(
        "a session that is shared with others is refused",
        two_runners_come_through_a_pooler,
        take_a_shared_session_for_ones_own,
        DECIDED_ONCE,
    ),
]
