"""A negative control: a course of events, and a protection that it needs."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.faults.controls.scene import Scene


@dataclass(frozen=True)
class Control:
    """
    What happens, told twice: as it is, and with the *protection* switched off.

    *breaks* is the invariant that must break then. *also* are others that may break
    with it: what follows, and nothing else.
    """

    protection: str
    course: Callable[[Scene], None]
    switch_off: Callable[[Scene], object]
    breaks: str
    also: tuple[str, ...] = ()
