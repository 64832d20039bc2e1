"""All checks, part by part."""

from eventstore.testing.conformance import (
    appending,
    claiming,
    forgetting,
    handling,
    racing,
    reading,
    reading_the_past,
    refusing,
    repeating,
)
from eventstore.testing.conformance.check import Check

_PARTS = (
    appending,
    repeating,
    refusing,
    claiming,
    racing,
    reading,
    reading_the_past,
    handling,
    forgetting,
)

CHECKS = tuple(
    check
    for part in _PARTS
    for check in vars(part).values()
    if isinstance(check, Check)
)
"""Every check, in the order in which one would mend what they find."""
