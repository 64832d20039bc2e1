"""Ways in which a reader of the log stands still."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient

from eventstore.rebuilding import rebuild, swapping
from readmodels import order_list
from tasks import catch_up, commands
from tasks.accept import accept
from tasks.shop.wiring import Shop
from tests.support.databases import as_role
from tests.support.desk import place, rename
from tests.support.engine import connect
from tests.support.fence import INSERT
from tests.support.settings import settings_for

LIST = "order_list_g1"

EVENT = """
    INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
    SELECT 'order-1', 'PaymentReceived', 2, '{"amount": 1}',
        metadata || jsonb_build_object(
            'event_id', gen_random_uuid(), 'schema', '9.0'
        ), now()
    FROM events WHERE type = 'OrderCreated'
"""
"""An event that newer code has written: this one has to wait for it."""
REFUSAL = """
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'no' USING ERRCODE = '{state}';
    END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON readmodels.order_list_g1
    EXECUTE FUNCTION refuse()
"""
STEPPED = """
    ALTER TABLE events DISABLE TRIGGER events_refuse_change;
    UPDATE events SET metadata = metadata || jsonb_build_object(
        'recorded_at',
        (metadata ->> 'recorded_at')::timestamptz - interval '{by}'
    );
    ALTER TABLE events ENABLE ALWAYS TRIGGER events_refuse_change;
    UPDATE subscriptions SET moved_at = moved_at - interval '{by}'
"""
"""All moments that are stored, as they are after the clock was set ahead *by*."""


@dataclass
class Scene:
    """A shop whose readers have read everything: a customer, and an order of hers."""

    shop: Shop
    client: FlaskClient
    patch: pytest.MonkeyPatch

    def execute(self, statement: str) -> None:
        """As the owner of the tables."""
        with connect(self.shop.settings.database_url) as connection:
            connection.execute(statement.encode())

    def order(self, key: str = "one more", command: Any = place) -> None:
        """Have an order placed, or *command* done, of which nobody has read yet."""
        accepted = accept(self.shop, command, key=key, principal="staff")
        commands.run(self.shop, [accepted.command_id])

    def read(self, shop: Shop | None = None) -> None:
        """Have the workers read, as far as they can."""
        # A full disk is told as a database that is away.
        with suppress(psycopg.OperationalError, psycopg.errors.InsufficientPrivilege):
            catch_up.run(shop or self.shop)

    def read_as_others(self, **changes: Any) -> None:
        """Have workers read whose shop has these *changes*."""
        others = replace(self.shop, **changes)
        self.read(others)
        others.engine.dispose()


Way = Callable[[Scene], AbstractContextManager[None]]


def stated(statement: str) -> Way:
    """Return the way that one statement brings about, before somebody reads."""

    @contextmanager
    def way(scene: Scene) -> Iterator[None]:
        scene.execute(statement)
        scene.order()
        scene.read()
        yield

    return way


@contextmanager
def nobody_reads(scene: Scene) -> Iterator[None]:
    scene.order()
    yield


def stepping(by: str) -> Way:
    @contextmanager
    def way(scene: Scene) -> Iterator[None]:
        scene.order()
        scene.execute(STEPPED.format(by=by))
        yield

    return way


@contextmanager
def its_row_is_held(scene: Scene) -> Iterator[None]:
    with connect(scene.shop.settings.database_url, autocommit=False) as holder:
        holder.execute("SET application_name = 'somebody'")
        holder.execute("SELECT FROM subscriptions WHERE name = %s FOR UPDATE", (LIST,))
        scene.order()
        scene.read()
        yield


@contextmanager
def a_rebuild_holds_its_row(scene: Scene) -> Iterator[None]:
    """It has come to its swap, and does not go on."""
    holds, may_go_on = threading.Event(), threading.Event()

    def wait(*_: Any) -> None:
        holds.set()
        assert may_go_on.wait(30)
        raise RuntimeError("given up")

    def run() -> None:
        with (
            connect(scene.shop.settings.database_url) as connection,
            suppress(RuntimeError),
        ):
            rebuild.rebuild(
                connection,
                order_list.projection,
                masters=scene.shop.deciders.masters,
            )

    scene.patch.setattr(swapping, "put_live", wait)
    thread = threading.Thread(target=run)
    thread.start()
    assert holds.wait(30)
    scene.order()
    scene.read()
    yield
    may_go_on.set()
    thread.join()


@contextmanager
def a_writer_does_not_end(scene: Scene) -> Iterator[None]:
    with connect(scene.shop.settings.database_url, autocommit=False) as slow:
        slow.execute(INSERT, ("order-slow", 1))
        scene.order()
        scene.read()
        yield


@contextmanager
def no_right_to_the_checkpoints(scene: Scene) -> Iterator[None]:
    """No error can be noted: that is an update of them, too."""
    scene.execute("REVOKE UPDATE ON subscriptions FROM recount_worker, recount_relay")
    scene.order()
    url = as_role(scene.shop.settings.database_url, "worker")
    scene.read_as_others(settings=settings_for(url))
    yield


@contextmanager
def every_fold_fails(scene: Scene) -> Iterator[None]:
    def fail(*_: Any) -> None:
        raise ValueError("bad code")

    for key in ("one", "two", "three"):
        scene.order(key)
    scene.read_as_others(
        projections=[
            replace(one, fold=fail) if one is order_list.projection else one
            for one in scene.shop.projections
        ]
    )
    yield


@contextmanager
def it_waits_for_its_next_try(scene: Scene) -> Iterator[None]:
    """It has failed often, and the cause is gone; the others read meanwhile."""
    scene.execute(REFUSAL.format(state="42501"))
    scene.order()
    scene.read()
    scene.execute("DROP FUNCTION refuse CASCADE")
    scene.execute(
        "UPDATE subscriptions SET tries = 7,"
        " next_try_at = clock_timestamp() + interval '59 s' WHERE tries > 0"
    )
    scene.read()
    yield


@contextmanager
def a_key_is_missing(scene: Scene) -> Iterator[None]:
    scene.order(command=rename)
    scene.execute("DELETE FROM vault.keys")
    scene.read()
    yield


@contextmanager
def it_ended_its_process(scene: Scene) -> Iterator[None]:
    """What a session leaves that has read it alone, and was killed by it."""
    scene.order()
    scene.execute(
        "INSERT INTO passes (pid, names, is_trial) VALUES (0, '{order_list_g1}', true)"
    )
    scene.read()
    yield


WAYS: dict[str, tuple[str, Way]] = {
    "an event of newer code": ("event", stated(EVENT)),
    "an error in every fold": ("code", every_fold_fails),
    "a table that was dropped": (
        "table",
        stated("DROP TABLE readmodels.order_list_g1_customers"),
    ),
    "a right that was taken away": ("rights", stated(REFUSAL.format(state="42501"))),
    "a right to the checkpoints that was taken away": (
        "rights",
        no_right_to_the_checkpoints,
    ),
    "a disk that is full": ("disk", stated(REFUSAL.format(state="53100"))),
    "a database that refuses": ("database", stated(REFUSAL.format(state="P0001"))),
    "a key that is missing": ("keys", a_key_is_missing),
    "a checkpoint ahead of the log": (
        "checkpoint",
        stated(
            "UPDATE subscriptions SET checkpoint = checkpoint + 1"
            " WHERE name = 'order_list_g1'"
        ),
    ),
    "a checkpoint that was taken away": (
        "missing",
        stated("DELETE FROM subscriptions WHERE name = 'order_list_g1'"),
    ),
    "another definition": (
        "outdated",
        stated("UPDATE generations SET shape = 'x' WHERE read_model = 'order_list'"),
    ),
    "nobody who reads": ("idle", nobody_reads),
    "nobody who reads, and a clock set ahead": ("idle", stepping("1 hour")),
    "nobody who reads, and a clock set back": ("idle", stepping("-1 hour")),
    "a row that somebody holds": ("locked", its_row_is_held),
    "a rebuild that does not end its swap": ("locked", a_rebuild_holds_its_row),
    "a writer that does not end": ("held back", a_writer_does_not_end),
    "set apart, until its next try": ("rights", it_waits_for_its_next_try),
    "an end of the process that reads": ("killed", it_ended_its_process),
}
"""The word that programs are told, and how it is brought about."""
