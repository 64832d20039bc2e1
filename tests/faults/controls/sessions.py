"""What a session is, and when it is thrown away."""

from contextlib import suppress
from uuid import UUID

import psycopg
import sqlalchemy as sa

from domain.accounts.commands import Deposit
from eventstore.sessions.session import Session
from tests.faults.checker.promises import FINAL
from tests.faults.controls.control import Control
from tests.faults.controls.scene import Scene

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


CONTROLS = [
    Control(
        "a session that cannot write is thrown away, with all that are as old",
        a_failover_leaves_sessions_that_only_read,
        keep_sessions_that_cannot_write,
        ACCEPTED,
    ),
    Control(
        "a session sets what its statements rest on",
        an_operator_sets_the_database_otherwise,
        take_a_session_as_it_comes,
        FINAL,
    ),
]
