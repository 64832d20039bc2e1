"""Where a control is played: a shop, a client with its log, and ways to break it."""

import inspect
import textwrap
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from types import ModuleType
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain.accounts.commands import Deposit, OpenAccount
from eventstore.journal.drain import drain
from eventstore.sql import source
from tasks import catch_up, commands
from tasks.shop.wiring import Shop
from tests.faults.checker import Verdict, check
from tests.support.engine import connect
from tests.support.sending import Sender
from tests.support.waiting import somebody_waits, wait_until

GATE = 4711
numbers = count(1)

EMPTY = """
DO $$
DECLARE
    read_model record;
BEGIN
    ALTER TABLE events DISABLE TRIGGER USER;
    ALTER TABLE subscriptions DISABLE TRIGGER USER;
    DELETE FROM events;
    DELETE FROM commands;
    DELETE FROM command_incidents;
    DELETE FROM unique_claims;
    DELETE FROM vault.keys;
    DELETE FROM heartbeats;
    UPDATE process_managers SET acted_up_to = 0, event_id = NULL;
    UPDATE subscriptions SET
        checkpoint = 0, event_id = NULL,
        error = NULL, stopped_at_position = NULL, stopped_since = NULL;
    FOR read_model IN SELECT tablename FROM pg_tables WHERE schemaname = 'readmodels'
    LOOP
        EXECUTE format('DELETE FROM readmodels.%I', read_model.tablename);
    END LOOP;
    PERFORM setval('events_id_seq', 1, false);
    ALTER TABLE events ENABLE ALWAYS TRIGGER events_refuse_change;
    ALTER TABLE events ENABLE ALWAYS TRIGGER events_hold_fence;
    ALTER TABLE subscriptions ENABLE TRIGGER subscriptions_keep_checkpoints;
    ALTER TABLE subscriptions ENABLE TRIGGER subscriptions_note_event;
    IF to_regclass('events_stream_id_version_key') IS NULL THEN
        ALTER TABLE events ADD UNIQUE (stream_id, version);
    END IF;
END
$$
"""


class Killed(BaseException):
    """What a command does that kills whoever runs it; nobody catches it."""


@dataclass
class Scene:
    """
    A shop at work, step by step, and a client that keeps its own log.

    *own* is what a course of events itself has seen: not all that is promised shows in
    the tables afterwards. What a control leaves out that is no function, it says here.
    """

    shop: Shop
    url: str
    connection: psycopg.Connection[Any]
    patch: pytest.MonkeyPatch
    own: Verdict = field(default_factory=Verdict)
    texts: dict[str, str] = field(default_factory=dict)
    has_relay: bool = True
    writes_apart: bool = False
    forgets_connections: bool = True

    def __post_init__(self) -> None:
        self.sender = Sender(self.shop)

    # What people and processes do.

    def account(self, amount: int = 100) -> str:
        """Open an account, with some money in it."""
        name = f"A{next(numbers)}"
        self.sender.do(OpenAccount(account_id=name, currency="EUR"))
        if amount:
            self.sender.do(Deposit(account_id=name, amount=amount))
        return name

    def send(self, *asked: Any) -> list[UUID]:
        """Have commands accepted, and leave them waiting."""
        return [self.sender.send(command) for command in asked]

    def run(self, command_id: UUID, shop: Shop | None = None) -> None:
        """Run a command, and what else is due in its stream, as a worker does."""
        commands.run(shop or self.shop, [command_id])

    def read(self) -> None:
        """Let everybody read to the end of the log, and run nothing."""
        while not catch_up.run(self.shop):
            pass

    def status(self, command_id: UUID) -> str:
        row = self.connection.execute(
            "SELECT status FROM commands WHERE id = %s", (command_id,)
        ).fetchone()
        assert row is not None
        return str(row[0])

    def end_rest(self) -> None:
        """Let what rests before its next try be due."""
        self.connection.execute("UPDATE commands SET next_try_at = NULL")

    def run_until_it_dies(self, command_id: UUID, shop: Shop) -> None:
        """Run a command as a process does that may be killed by it."""
        with connect(self.url) as runner:
            try:
                drain(runner, [command_id], commands.runner_of(shop, "worker"))
            except Killed:
                # Until the server has ended the session it holds the stream's lock.
                self.connection.execute(
                    "SELECT pg_terminate_backend(%s, 10000)", (runner.info.backend_pid,)
                )

    # What is told of it.

    def note(self, invariant: str, looked_at: int, cases: Sequence[object]) -> None:
        self.own.note(invariant, looked_at, map(str, cases))

    def check(self) -> Verdict:
        verdict = check(self.connection, self.sender.attempts)
        verdict.add(self.own)
        return verdict

    # What is changed in the shop.

    def deciding(self, act: Callable[[Any], object]) -> Shop:
        """Return the same shop, which does *act* with each command it decides."""

        def hooked(decide: Callable[..., Any]) -> Callable[..., Any]:
            def decide_and_act(state: Any, command: Any, **others: Any) -> Any:
                act(command)
                return decide(state, command, **others)

            return decide_and_act

        slices = [replace(d, decide=hooked(d.decide)) for d in self.shop.slices]
        return self.same(slices=slices)

    def with_second_runner(self, command_id: UUID) -> tuple[Shop, list[Any]]:
        """Return a shop where one comes as the first decides, and what both decide."""
        decided: list[Any] = []

        def meet(command: Any) -> None:
            decided.append(command)
            if len(decided) == 1:
                self.run(command_id, shop)

        shop = self.deciding(meet)
        return shop, decided

    def same(self, **changes: Any) -> Shop:
        """Return the same shop with *changes*, on the same connections."""
        shop = replace(self.shop, **changes)
        vars(shop)["engine"] = self.shop.engine
        return shop

    def change(self, function: str, old: str, new: str) -> None:
        """Replace a function in the database by one that lacks something."""
        text = self.text(function)
        assert old in text, function
        self.texts[function] = text.replace(old, new)
        self.connection.execute(self.texts[function].encode())

    def text(self, function: str) -> str:
        return self.texts.get(function, source(function))

    def rewrite(
        self, module: ModuleType, function: Callable[..., Any], old: str, new: str
    ) -> None:
        """Replace a function of *module* by one that lacks something."""
        text = textwrap.dedent(inspect.getsource(function))
        assert old in text, function
        space = dict(vars(module))
        exec(text.replace(old, new), space)
        self.patch.setattr(module, function.__name__, space[function.__name__])

    def restore(self) -> None:
        """Leave the database as it was before anything happened in it."""
        self.connection.execute(EMPTY)
        for function in self.texts:
            self.connection.execute(source(function).encode())

    # Interleaving: somebody stops at a place, and goes on when he is told.

    @contextmanager
    def stopping(
        self, function: str, before: str, first: Callable[[], None]
    ) -> Iterator["Future[None]"]:
        """
        Do *first* in a thread, which stops in a function of the database.

        In the block it stands there, right *before* a statement; at the end of the
        block it goes on, and is waited for. What it raises is its own affair.
        """
        text = self.text(function)
        assert before in text, function
        wait = f"PERFORM pg_advisory_xact_lock_shared({GATE});\n    {before}"
        with connect(self.url) as gate, ThreadPoolExecutor() as threads:
            gate.execute("SELECT pg_advisory_lock(%s)", (GATE,))
            gate.execute(text.replace(before, wait, 1).encode())
            started = threads.submit(first)
            try:
                wait_until(lambda: self.at_gate() or started.done(), "he is there")
                assert not started.done(), started.exception()
                # A call from now on is not stopped.
                gate.execute(text.encode())
                yield started
            finally:
                gate.execute("SELECT pg_advisory_unlock(%s)", (GATE,))
            with suppress(Exception):
                started.result(timeout=10)

    def at_gate(self) -> list[int]:
        """Return who stands at the gate, by the process of the server."""
        rows = self.connection.execute(
            """
            SELECT pid FROM pg_locks
            WHERE locktype = 'advisory' AND classid = 0 AND objid = %s AND NOT granted
                -- Those beside us in other databases have locks of the same number.
                AND database = (
                    SELECT oid FROM pg_database WHERE datname = current_database()
                )
            """,
            (GATE,),
        )
        return [pid for (pid,) in rows]

    def somebody_waits(self) -> bool:
        """Say whether anybody waits for a lock, elsewhere than at the gate."""
        return somebody_waits(self.connection, besides=self.at_gate())
