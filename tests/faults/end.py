"""One end of a session that a proxy carries from a socket to another."""

import asyncio


class End(asyncio.Protocol):
    """One end of a session; one that is full lets the other one wait."""

    transport: asyncio.Transport | None = None
    other: "End"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self.other.close()

    def pause_writing(self) -> None:
        if self.other.transport:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other.transport:
            self.other.transport.resume_reading()

    def write(self, data: bytes) -> None:
        if self.transport and data:
            self.transport.write(data)

    def close(self) -> None:
        """Close it; what was written to it still gets there."""
        if self.transport:
            self.transport.close()
