"""What keeps the log as it is, and decisions on the state that they were made for."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import msgspec
import psycopg

from domain.accounts.commands import Withdraw
from eventstore.log.append import ANY_VERSION, append
from tests.faults.checker import Watch
from tests.faults.checker.folds import invariant_of
from tests.faults.checker.money import NOT_NEGATIVE
from tests.faults.checker.readers import AT_THE_END
from tests.faults.checker.streams import VERSIONS
from tests.faults.checker.watch import FORWARD, UNCHANGED
from tests.faults.controls.control import Control
from tests.faults.controls.scene import Scene, numbers
from tests.support.engine import added

ACCOUNT = invariant_of("accounts")
STATEMENT = invariant_of("account_statement")


def imported(type_: str, data: str) -> Any:
    """Return an event as an import writes it: without a command."""
    event = added(1)
    metadata = msgspec.structs.replace(event.metadata, source="a history")
    return replace(event, type=type_, data=data, metadata=metadata)


def somebody_writes_while_a_withdrawal_is_decided(scene: Scene) -> None:
    account = scene.account(amount=100)
    stream = f"account-{account}"
    (command_id,) = scene.send(Withdraw(account_id=account, amount=100))
    written = iter([imported("MoneyWithdrawn", '{"amount": 100}')])

    def write_once(_: Any) -> None:
        for event in written:
            append(scene.connection, [(stream, event)], expected={stream: ANY_VERSION})

    scene.run(command_id, scene.deciding(write_once))
    scene.read()


def append_at_any_version(scene: Scene) -> None:
    scene.change(
        "append",
        "IF stale_stream IS NOT NULL THEN\n        RAISE",
        "IF false THEN\n        RAISE",
    )


def two_write_the_same_version_by_hand(scene: Scene) -> None:
    stream = f"notes-{next(numbers)}"
    for _ in range(2):
        with suppress(psycopg.errors.UniqueViolation):
            scene.connection.execute(
                """
                INSERT INTO events
                    (stream_id, type, version, data, metadata, occurred_at)
                VALUES (
                    %s, 'Noted', 1, '{}', jsonb_build_object(
                        'event_id', gen_random_uuid(), 'source', 'a history'
                    ), now()
                )
                """,
                (stream,),
            )
    scene.read()


def drop_the_constraint(scene: Scene) -> None:
    scene.connection.execute(
        "ALTER TABLE events DROP CONSTRAINT events_stream_id_version_key"
    )


def somebody_rewrites_the_past(scene: Scene) -> None:
    scene.account()
    watch = Watch(scene.connection)
    watch.sample()
    with suppress(psycopg.errors.RestrictViolation):
        scene.connection.execute(
            """
            UPDATE events SET occurred_at = occurred_at - interval '1 day'
            WHERE id = (SELECT min(id) FROM events)
            """
        )
    scene.own.add(watch.verdict())


def allow_changes(scene: Scene) -> None:
    scene.connection.execute("ALTER TABLE events DISABLE TRIGGER events_refuse_change")


def somebody_sets_a_checkpoint_back(scene: Scene) -> None:
    scene.account()
    watch = Watch(scene.connection)
    watch.sample()
    with suppress(psycopg.errors.RestrictViolation):
        scene.connection.execute(
            "UPDATE subscriptions SET checkpoint = 0 WHERE name = 'accounts_g1'"
        )
    watch.sample()
    scene.own.add(watch.verdict())
    scene.read()


def allow_to_go_back(scene: Scene) -> None:
    scene.connection.execute(
        "ALTER TABLE subscriptions DISABLE TRIGGER subscriptions_keep_checkpoints"
    )


CONTROLS = [
    Control(
        "the expected version",
        somebody_writes_while_a_withdrawal_is_decided,
        append_at_any_version,
        NOT_NEGATIVE,
    ),
    Control(
        "a stream has each version once, by constraint",
        two_write_the_same_version_by_hand,
        drop_the_constraint,
        VERSIONS,
    ),
    Control(
        "stored events are not changed, by trigger",
        somebody_rewrites_the_past,
        allow_changes,
        UNCHANGED,
    ),
    Control(
        "checkpoints do not go back, by trigger",
        somebody_sets_a_checkpoint_back,
        allow_to_go_back,
        FORWARD,
        also=(ACCOUNT, AT_THE_END),
    ),
]
