"""Work in steps: several readers ask at once, and are answered in one round trip."""

from collections.abc import Generator, Iterable, Sequence
from typing import NamedTuple, TypeVar

import psycopg

T = TypeVar("T")
Answer = psycopg.Cursor


class Statement(NamedTuple):
    """A statement that is not sent yet: its SQL as bytes, and its values."""

    text: bytes
    values: Sequence[object]

    def send(self, connection: psycopg.Connection) -> Answer:
        """Send it; in a pipeline this does not wait for the answer."""
        return connection.execute(self.text, self.values)


Steps = Generator[Sequence[Statement], Sequence[Answer], T]
"""
Yields statements that read, gets a cursor for each, and returns what came of it.

It computes between two questions and asks for all it needs at once: so the number of
round trips is that of the questions, however many do such work side by side.
"""


def take_steps(connection: psycopg.Connection, several: Sequence[Steps[T]]) -> list[T]:
    """
    Take the steps of *several* side by side, and return what each of them returns.

    In a pipeline each round of questions is one round trip, for all of them together.
    """
    results: dict[int, T] = {}
    answers: dict[int, list[Answer] | None] = dict.fromkeys(range(len(several)))
    while answers:
        asked = {}
        for place, answer in answers.items():
            try:
                # A generator that has not begun takes nothing but None.
                questions = several[place].send(answer)  # type: ignore[arg-type]
            except StopIteration as end:
                results[place] = end.value
            else:
                asked[place] = [one.send(connection) for one in questions]
        answers = dict(asked)
    return [results[place] for place in range(len(several))]


def send_all(connection: psycopg.Connection, statements: Iterable[Statement]) -> None:
    """Send statements that write; an error shows when the pipeline is waited for."""
    for statement in statements:
        statement.send(connection)
