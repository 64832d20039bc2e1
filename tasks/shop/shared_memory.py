"""
A few bytes shared by all processes forked after they were made.

So the processes of a shop share counters. The lock is the kernel's: if its holder is
killed, it is released.
"""

import fcntl
import mmap
import os
import threading
import weakref


class SharedMemory:
    """
    Shared bytes, all 0 at first; `with` it, this thread has exclusive access.

    Make it before the fork, and do not fork while it is held.
    """

    def __init__(self, size: int) -> None:
        self.file = os.memfd_create("recount", os.MFD_CLOEXEC)
        weakref.finalize(self, os.close, self.file)
        os.ftruncate(self.file, size)
        self.memory = mmap.mmap(self.file, size)
        # The kernel's lock belongs to the process: threads need another.
        self.lock = threading.Lock()

    def __enter__(self) -> mmap.mmap:
        self.lock.acquire()
        fcntl.lockf(self.file, fcntl.LOCK_EX)
        return self.memory

    def __exit__(self, *_: object) -> None:
        fcntl.lockf(self.file, fcntl.LOCK_UN)
        self.lock.release()
