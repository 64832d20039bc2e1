"""A client of the shop that sends without HTTP, and keeps its own log."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from eventstore.errors import KeyReused
from eventstore.journal.operator_actions import cancel
from eventstore.journal.take import find_waiting
from tasks import catch_up, commands
from tasks.accept import CommandRequest, accept, accept_many
from tasks.shop.wiring import Shop
from tests.faults.answers import Attempt


@dataclass
class Sender:
    """Sends commands to a shop; *attempts* is the log, as `check` takes it."""

    shop: Shop
    attempts: list[Attempt] = field(default_factory=list)

    def send(
        self,
        command: Any,
        *,
        key: str = "",
        principal: str = "local",
        not_before: datetime | None = None,
    ) -> UUID:
        """
        Have a command accepted, or refused for its key, and write that down.

        Keys are their sender's own: who else has the same one means another command.
        """
        key = key or f"key {len(self.attempts)}"
        sent_at = time.monotonic()
        status, problem = 202, ""
        try:
            command_id = accept(
                self.shop,
                command,
                key=key,
                principal=principal,
                not_before=not_before,
            ).command_id
        except KeyReused as refusal:
            status, problem = 422, "/problems/key-reused"
            command_id = refusal.command_id
        self.write_down(
            command,
            key=key if principal == "local" else f"{key} of {principal}",
            sent_at=sent_at,
            status=status,
            command_id=str(command_id) if status == 202 else None,
            problem=problem,
            not_before=not_before.isoformat() if not_before else "",
        )
        return command_id

    def send_batch(self, *asked: Any) -> list[UUID]:
        """Have commands accepted together, in their order, and write that down."""
        sent_at = time.monotonic()
        number = len(self.attempts)
        wanted = [CommandRequest(c, f"key {number + n}") for n, c in enumerate(asked)]
        ids = [a.command_id for a in accept_many(self.shop, wanted, principal="local")]
        for one, command_id in zip(wanted, map(str, ids), strict=True):
            self.write_down(
                one.command,
                key=one.key,
                sent_at=sent_at,
                status=202,
                command_id=command_id,
                batch=True,
            )
        return ids

    def write_down(self, command: Any, **told: Any) -> None:
        self.attempts.append(
            Attempt(
                type=type(command).__name__,
                stream=self.stream_of(command),
                data=msgspec.json.decode(msgspec.json.encode(command)),
                answered_at=time.monotonic(),
                **told,
            )
        )

    def take_back(self, command_id: UUID) -> None:
        """Cancel the command that was sent last, and write down whether it was."""
        with self.shop.lent() as connection:
            acted = cancel(connection, command_id, by="local", principal="local")
        status = 200 if acted and acted.status == "cancelled" else 409
        sent = self.attempts[-1]
        self.attempts.append(
            msgspec.structs.replace(sent, status=status, takes_back=True)
        )

    def stream_of(self, command: Any) -> str:
        decider = self.shop.deciders.of_command(type(command))
        return decider.stream_of(command) or ""

    def do(self, *asked: Any) -> list[UUID]:
        """Send commands, run each in its turn, and work until nothing waits."""
        sent = []
        for command in asked:
            sent.append(self.send(command))
            commands.run(self.shop, sent[-1:])
        self.work()
        return sent

    def work(self) -> None:
        """Run all that waits, and bring all readers to the end, until that is all."""
        while True:
            catch_up.run(self.shop)
            with self.shop.lent() as connection:
                waiting = find_waiting(connection, patience=-1, most=1_000)
            if not waiting:
                return
            for _, command_id in waiting:
                commands.run(self.shop, [command_id])
