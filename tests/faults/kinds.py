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

# Those first that leave all at work: the others strike whom they leave over.
VICTIMS = (statements, messages, brokers, databases, clocks, processes)

KINDS: Mapping[str, Kind] = {
    kind.name: kind for victim in VICTIMS for kind in victim.KINDS
}
