"""Every kind of fault that the rig knows, by its name."""

from collections.abc import Mapping
from dataclasses import replace

from tests.faults.breaking import (
    brokers,
    clocks,
    databases,
    messages,
    poolers,
    processes,
    rebuilds,
    sessions,
    slow_clients,
    statements,
    steps,
)
from tests.faults.desk import Desk
from tests.faults.kind import MISSED, Kind

__all__ = ["KINDS", "MISSED", "Kind", "left_out"]

# Those first that leave all at work: the others strike whom they leave over.
VICTIMS = {
    statements: "PostgreSQL",
    sessions: "PostgreSQL",
    messages: "Redis",
    brokers: "Redis",
    poolers: "PostgreSQL",
    databases: "PostgreSQL",
    steps: "PostgreSQL",
    clocks: "clocks",
    rebuilds: "read models",
    slow_clients: "the web",
    processes: "processes",
}

KINDS: Mapping[str, Kind] = {
    kind.name: replace(kind, victim=victim)
    for module, victim in VICTIMS.items()
    for kind in module.KINDS
}


def left_out(kinds: Mapping[str, Kind], desk: Desk) -> Mapping[str, str]:
    """Return which kinds cannot be made at this desk, and why."""
    return {name: why for name, kind in kinds.items() if (why := kind.needs(desk))}
