"""
A proxy between the shop and PostgreSQL, which can kill a client at a chosen statement.

`python -m tests.faults.proxy SOCKET SERVER CONTROL`. On a Unix socket the kernel tells
which process is at the other end; so the shop dies, or stands still, exactly where it
is told to, and its code knows nothing of it. Where nothing is armed it carries bytes.
"""

import asyncio
import os
import signal
import socket
import struct
import sys
from contextlib import suppress

import msgspec

from tests.faults.arming import Arm, Request
from tests.faults.end import End
from tests.faults.wire import Answers, Statements, greeting, query

UCRED = struct.Struct("3i")
READ_ALONE = query("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")


class Armoury:
    """What is armed, whom it has struck, and where new clients are led to."""

    def __init__(self, server: str) -> None:
        self.server = self.path = server
        self.arms: dict[int, Arm] = {}
        self.struck: dict[int, list[int]] = {}
        self.cut: dict[int, list[Client]] = {}
        self.clients: set[Client] = set()

    def drawn(self, step: str, user: str) -> Arm | None:
        """Return what is armed for *step*, once less from now on."""
        for arm in self.arms.values():
            if arm.step == step and arm.times and arm.user in ("", user):
                arm.times -= 1
                return arm
        return None

    def strike(self, arm: Arm, pid: int) -> None:
        number = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}.get(arm.how)
        if number is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        self.struck.setdefault(arm.number, []).append(pid)

    def answer(self, request: Request) -> list[int]:
        if request.disarm_all:
            self.arms.clear()
            self.lead_to(self.server)
            for number in [*self.cut]:
                self.join(number)
            for one in self.clients:
                one.hold(False)
        if request.disarm is not None:
            self.arms.pop(request.disarm, None)
            self.join(request.disarm)
        if request.arm is not None:
            self.arms[request.arm.number] = request.arm
        if request.lead_to is not None:
            return self.lead_to(request.lead_to or self.server)
        if request.let_read_alone:
            return [one.pid for one in list(self.clients) if one.wants_to_read_alone()]
        if request.hold_answers is not None:
            greeted = [one for one in self.clients if one.is_greeted]
            for one in greeted:
                one.hold(request.hold_answers)
            return [one.pid for one in greeted]
        return self.struck.get(request.struck_by or 0, [])

    def lead_to(self, path: str) -> list[int]:
        """End the sessions that lead elsewhere, and return whose they were."""
        self.path = path
        elsewhere = [one for one in self.clients if one.path != path and not one.is_cut]
        for one in elsewhere:
            one.close()
        return [one.pid for one in elsewhere if one.is_greeted]

    def join(self, number: int) -> None:
        """Let both ends of what was cut hear that their connection is gone."""
        for client in self.cut.pop(number, []):
            client.is_cut = False
            client.close()
            client.server.close()

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        request = msgspec.json.decode(await reader.readline(), type=Request)
        writer.write(msgspec.json.encode(self.answer(request)))
        writer.close()


class Server(End):
    """The end where PostgreSQL is."""

    def __init__(self, client: "Client") -> None:
        self.client = self.other = client

    def data_received(self, data: bytes) -> None:
        self.client.answer(data)

    def connection_lost(self, error: Exception | None) -> None:
        # Who is cut off does not hear of it.
        if not self.client.is_cut:
            super().connection_lost(error)


class Client(End):
    """The end where a process of the shop is, and what has passed in its session."""

    def __init__(self, armoury: Armoury) -> None:
        self.armoury = armoury
        self.path = armoury.path
        self.server = self.other = Server(self)
        self.unread = bytearray()
        self.user: str | None = None
        self.is_greeted = False
        self.statements = Statements()
        self.answers = Answers()
        # The greeting is answered with the first `ReadyForQuery`.
        self.asked = 1
        self.drawn: Arm | None = None
        self.strikes_at = 0
        self.is_cut = False
        self.connecting: asyncio.Task[None] | None = None
        self.is_to_read_alone = False
        # So many answers are to be read until that of our own statement is.
        self.own_at = 0
        self.held: list[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.armoury.clients.add(self)
        self.connecting = asyncio.get_running_loop().create_task(self.connect())

    async def connect(self) -> None:
        try:
            await asyncio.get_running_loop().create_unix_connection(
                lambda: self.server, self.path
            )
        except OSError:
            # As the server itself would: it is away, and nobody is let in.
            self.close()
            return
        self.data_received(b"")

    def connection_lost(self, error: Exception | None) -> None:
        self.armoury.clients.discard(self)
        if self.connecting:
            # Nobody would end what was connected for it after that.
            self.connecting.cancel()
        if not self.is_cut:
            super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        if self.is_cut:
            return
        self.unread += data
        if self.server.transport is None or not (self.is_greeted or self.greet()):
            return
        if self.user is None:
            self.forward(len(self.unread))
            return
        if self.own_at:
            # What the client asks now is answered after our own statement is.
            return
        passed = 0
        for message in self.statements.read(self.unread):
            if message.step and self.drawn is None:
                arm = self.armoury.drawn(message.step, self.user)
                if arm is not None and arm.how == "stop":
                    # Its answer comes to who does not read it any more.
                    self.armoury.strike(arm, self.pid)
                    arm = None
                elif arm is not None and arm.when == "before":
                    self.forward(message.begin)
                    self.strike(arm)
                    return
                self.drawn, self.strikes_at = arm, self.asked + 1
            self.asked += message.is_asked_to_end
            passed = message.end
        self.forward(passed)
        if self.drawn and self.awaits_answer and self.drawn.when == "sent":
            self.strike(self.drawn)

    def greet(self) -> bool:
        """Read the first message; return whether what follows can be read."""
        found = greeting(self.unread)
        if found is None:
            return False
        if found.wants_encryption:
            del self.unread[: found.size]
            self.write(b"N")
            return False
        self.is_greeted, self.user = True, found.user
        self.forward(found.size)
        return True

    def forward(self, size: int) -> None:
        self.server.write(bytes(self.unread[:size]))
        del self.unread[:size]

    @property
    def awaits_answer(self) -> bool:
        """Whether what was drawn waits for an answer that the client will not get."""
        return self.drawn is not None and self.asked >= self.strikes_at

    def answer(self, data: bytes) -> None:
        if self.is_cut:
            return
        self.answers.read(data)
        if self.own_at:
            if self.answers.ready >= self.own_at:
                self.own_at = 0
                self.data_received(b"")
            return
        if not self.awaits_answer:
            self.pass_on(data)
        elif self.drawn and self.answers.ready >= self.strikes_at:
            self.strike(self.drawn)
        self.read_alone()

    def pass_on(self, data: bytes) -> None:
        if self.held is None:
            self.write(data)
        else:
            self.held.append(data)

    def hold(self, is_held: bool) -> None:
        """Hold back what is answered, or let all of it go."""
        held, self.held = self.held or [], [] if is_held else None
        for data in held:
            self.pass_on(data)

    def wants_to_read_alone(self) -> bool:
        """Let the session read alone from its next rest on; False where it is none."""
        if self.user:
            self.is_to_read_alone = True
            self.read_alone()
        return bool(self.user)

    def read_alone(self) -> None:
        """Say so to the server, where nothing is asked that it has not answered."""
        if self.is_to_read_alone and self.answers.ready >= self.asked:
            self.is_to_read_alone = False
            self.asked += 1
            self.own_at = self.asked
            self.server.write(READ_ALONE)

    def strike(self, arm: Arm) -> None:
        self.armoury.strike(arm, self.pid)
        if arm.how == "cut":
            self.is_cut = True
            self.armoury.cut.setdefault(arm.number, []).append(self)
            return
        self.close()
        self.server.close()

    @property
    def pid(self) -> int:
        assert self.transport is not None
        end: socket.socket = self.transport.get_extra_info("socket")
        options = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size)
        pid: int = UCRED.unpack(options)[0]
        return pid


async def serve(path: str, server: str, control: str) -> None:
    armoury = Armoury(server)
    loop = asyncio.get_running_loop()
    listener = await loop.create_unix_server(lambda: Client(armoury), path, backlog=200)
    controller = await asyncio.start_unix_server(armoury.serve, control)
    async with listener, controller:
        await listener.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*sys.argv[1:]))
