"""Every kind of fault that the rig knows, by its name."""

from collections.abc import Mapping

from tests.faults.breaking import (
    brokers,
    clocks,
    databases,
    messages,
    processes,
    statements,
)
from tests.faults.kind import MISSED, Kind

__all__ = ["KINDS", "MISSED", "Kind"]

VICTIMS = (processes, statements, databases, brokers, messages, clocks)

KINDS: Mapping[str, Kind] = {
    kind.name: kind for victim in VICTIMS for kind in victim.KINDS
}
