"""A thread with a session of its own, which looks for work again and again."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import closing

from eventstore.errors.refusals import is_lost_connection
from eventstore.runtime.log import log, say_away, say_back
from eventstore.sessions.session import Session

SECONDS_TO_RECONNECT = (0.1, 5.0)
"""The first and the longest pause before a session is opened again; it doubles."""
SHORTEST_PAUSE = 0.005
"""Seconds to the next look after there was work; it doubles while there is none."""


class Worker(ABC):
    """
    One of the threads of a program, called *name*.

    *connect* opens its session. Where that is lost it opens another one, after a pause
    that doubles; what it does until then is in the database or was never done. An error
    that nobody expected is logged, and treated in the same way. Where nobody wakes it,
    it looks after *longest_pause* seconds at the latest.
    """

    longest_pause = 0.05

    def __init__(self, name: str, connect: Callable[[], Session]) -> None:
        self.name = name
        self.connect = connect
        self.woken = threading.Event()
        self.is_stopping = False
        # Not in the way of a process that ends.
        self.thread = threading.Thread(target=self.run, name=name, daemon=True)

    @abstractmethod
    def work(self, session: Session) -> bool:
        """Do what there is to do; return whether there was something."""

    def begin(self, session: Session) -> None:  # noqa: B027 - many need nothing
        """Prepare a session that was just opened."""

    def wake(self) -> None:
        self.woken.set()

    def stop(self) -> None:
        """Let it come to the end of what it does, and no further."""
        self.is_stopping = True
        self.woken.set()

    def run(self) -> None:
        """Work until it is stopped: the thread's whole life."""
        pause, longest = SECONDS_TO_RECONNECT
        is_away = False
        while not self.is_stopping:
            try:
                with closing(self.connect()) as session:
                    self.begin(session)
                    if is_away:
                        say_back(self.name)
                    pause, is_away = SECONDS_TO_RECONNECT[0], False
                    self.repeat(session)
            except Exception as error:
                if is_lost_connection(error):
                    say_away(self.name, error, pause)
                else:
                    log.exception("%s failed, again in %.1f s", self.name, pause)
                is_away = True
                self.wait(pause)
                pause = min(2 * pause, longest)

    def repeat(self, session: Session) -> None:
        """Work on one session until it is lost, which raises, or the end."""
        pause = SHORTEST_PAUSE
        while not self.is_stopping:
            # Before the look: what comes after it wakes us again.
            self.woken.clear()
            if self.work(session) or self.wait(pause):
                pause = SHORTEST_PAUSE
            else:
                pause = min(2 * pause, self.longest_pause)

    def wait(self, seconds: float) -> bool:
        """Wait until it is woken; return False after so many *seconds*."""
        return self.is_stopping or self.woken.wait(seconds)
