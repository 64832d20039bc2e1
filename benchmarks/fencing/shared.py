"""What the processes of a race share: a word from above, and each one's own figures."""

import ctypes
from multiprocessing.sharedctypes import RawArray
from typing import TypeAlias

Numbers: TypeAlias = "ctypes.Array[ctypes.c_longlong]"

GO_ON, END = 0, 1

WAYS = (
    "one insert",
    "slow to commit",
    "several inserts",
    "savepoints",
    "COPY",
    "append",
    "left idle",
    "prepared",
)
"""How a writer's transaction is made; the figures count how often each was."""

ROLLED_BACK = len(WAYS)
EVENTS = ROLLED_BACK + 1
CUT_OFF = ROLLED_BACK + 2
FIGURES = ROLLED_BACK + 3


def numbers(count: int) -> "Numbers":
    """Return numbers in shared memory, without a lock that a killed process keeps."""
    return RawArray(ctypes.c_longlong, count)
