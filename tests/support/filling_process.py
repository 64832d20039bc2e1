"""A process that fills a copy, and waits at a gate on the way."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from eventstore.past import filling
from eventstore.past.filler import Bounds, Filler
from eventstore.past.filling_notes import FillingNotes
from eventstore.projections.kept_rows import KeptRows
from eventstore.projections.projection import Projection
from tasks.past.process import connect_filler
from tasks.shop.settings import Settings
from tests.support.waiting import wait_until

GATES = {
    "make_tables": filling.Filling,
    # Its tables are there for nobody else yet.
    "note_progress": filling.Filling,
    "fold": filling.Filling,
    "write": filling.Filling,
    # It holds its tables, and has written rows that it has not committed.
    "pieces": KeptRows,
    "note_ready": FillingNotes,
    "index": filling.Filling,
}
"""The steps of a filling before which it can wait, and whose they are."""


class FillingProcess:
    """Fills the copy that is wanted; it waits before the step *gate*, and once only."""

    def __init__(
        self,
        settings: Settings,
        projections: Sequence[Projection],
        gate: str,
        *,
        is_guarded: bool = True,
    ) -> None:
        self.ours, theirs = multiprocessing.Pipe()
        arguments = (settings, projections, gate, is_guarded, theirs)
        context = multiprocessing.get_context("fork")
        self.process = context.Process(target=fill, args=arguments)
        self.process.start()

    def wait(self) -> str:
        """Return what the process says next."""
        assert self.ours.poll(60), "the process says nothing"
        said: str = self.ours.recv()
        return said

    def go_on(self) -> None:
        self.ours.send("on")

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


@contextmanager
def filling_process(*arguments: Any, **options: Any) -> Iterator[FillingProcess]:
    """Lend such a process, which is waiting at its gate."""
    process = FillingProcess(*arguments, **options)
    try:
        assert process.wait() == "waiting"
        yield process
    finally:
        process.kill()


def fill(
    settings: Settings,
    projections: Sequence[Projection],
    gate: str,
    is_guarded: bool,
    pipe: Connection,
) -> None:
    step: Callable[..., Any] = getattr(GATES[gate], gate)
    waited = False

    def with_gate(self: Any, *arguments: Any, **more: Any) -> Any:
        nonlocal waited
        if not waited:
            waited = True
            pipe.send("waiting")
            pipe.recv()
        return step(self, *arguments, **more)

    setattr(GATES[gate], gate, with_gate)
    with connect_filler(settings) as connection:
        if not is_guarded:
            forget_to_look(connection)
        filler = Filler(connection, projections, settings.master_keys, Bounds())
        wait_until(filler.take_turn, "nobody else fills copies")
        copy = filler.fill_next()
        pipe.send("dropped" if copy is None else copy.state)


def forget_to_look(connection: Any) -> None:
    """Switch off what a filling does about a copy that was dropped meanwhile."""
    execute = connection.execute

    def careless(query: Any, *arguments: Any) -> Any:
        text = query if isinstance(query, str) else None
        if text is not None and "UPDATE public.past_copies SET done" in text:
            query = text.replace("AND state = 'filling'", "")
        elif text is None and "made_at = clock_timestamp(), used_at" in repr(query):
            query = query.as_string(connection).replace("AND state = 'filling'", "")
        return execute(query, *arguments)

    connection.execute = careless
