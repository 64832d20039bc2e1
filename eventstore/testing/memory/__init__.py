"""A store in memory, for the unit tests of those who use the engine."""

from eventstore.testing.memory.store import MemoryStore

__all__ = ["MemoryStore"]
