"""
A few bytes that all processes see that were forked after they were made.

So those that serve one shop agree about what is counted in memory. The lock is the
kernel's: who is killed while it holds it has let go of it.
"""

import fcntl
import mmap
import os
import threading
import weakref


class SharedMemory:
    """
    So many bytes, all 0 at first; `with` it nobody else looks at them.

    Make it before the fork, and fork while nobody holds it.
    """

    def __init__(self, size: int) -> None:
        self.file = os.memfd_create("recount", os.MFD_CLOEXEC)
        weakref.finalize(self, os.close, self.file)
        os.ftruncate(self.file, size)
        self.memory = mmap.mmap(self.file, size)
        # The kernel's lock is the process's: threads need one besides.
        self.lock = threading.Lock()

    def __enter__(self) -> mmap.mmap:
        self.lock.acquire()
        fcntl.lockf(self.file, fcntl.LOCK_EX)
        return self.memory

    def __exit__(self, *_: object) -> None:
        fcntl.lockf(self.file, fcntl.LOCK_UN)
        self.lock.release()
