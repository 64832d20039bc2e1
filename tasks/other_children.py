"""The children that the relay keeps beside the one that runs commands."""

from collections.abc import Callable, Sequence
from ctypes import c_bool
from multiprocessing.context import ForkContext

from eventstore.projections.fold_version import fold_version
from tasks.child_process import ChildProcess
from tasks.past.process import fill_copies
from tasks.shop.wiring import Shop
from tasks.stores.process import write_stores
from tasks.webhooks.process import send


class OtherChildren:
    """One sends to webhooks, one fills copies of the past, one writes the stores."""

    def __init__(self, context: ForkContext, wiring: Callable[[], Shop]) -> None:
        self.sender = ChildProcess(context, wiring, "sender of webhooks", send)
        self.filler = ChildProcess(context, wiring, "filler of copies", fill_copies)
        self.all: list[ChildProcess] = [self.sender, self.filler]
        for projection in wiring().projections:
            # A second for all of them, which each filler would take again.
            fold_version(projection)
        if wiring().settings.names_stores:
            name = "writer of stores"
            writer = ChildProcess(
                context, wiring, name, write_stores, is_always_wanted=True
            )
            self.all.append(writer)

    @property
    def wanted(self) -> Sequence[c_bool]:
        """The flags that say that webhooks and copies want their child."""
        return (self.sender.wanted, self.filler.wanted)
