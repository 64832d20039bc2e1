"""How far a command is: a bar on a terminal, and elsewhere lines."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click


@contextmanager
def progress(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """Lend a function that is told how many more of *length* are done."""
    if sys.stdout.isatty():
        with click.progressbar(length=length, label=label, show_pos=True) as bar:
            yield bar.update
    else:
        yield Lines(label, length).add


class Lines:
    """A line at each fourth of the way: a log wants few."""

    def __init__(self, label: str, length: int) -> None:
        self.label = label
        self.length = length
        self.done = 0

    def add(self, count: int) -> None:
        before = 4 * self.done // max(self.length, 1)
        self.done += count
        if 4 * self.done // max(self.length, 1) > before:
            click.echo(f"{self.label}: {self.done:,} of {self.length:,}")
