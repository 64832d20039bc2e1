"""The progress of a rebuild: events, and the time that is left."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from eventstore.rebuilding.progress import Progress

Show = Callable[[Progress], None]


@contextmanager
def display(name: str, *, is_shown: bool = True) -> Iterator[Show]:
    """Lend a function that shows progress: a bar on a terminal, otherwise lines."""
    if not is_shown:
        yield lambda _: None
    elif sys.stdout.isatty():
        with click.progressbar(
            length=1,
            label=name,
            show_pos=True,
            show_eta=False,
            item_show_func=lambda shown: shown,
        ) as bar:

            def show(progress: Progress) -> None:
                bar.length = max(progress.total, 1)
                bar.update(max(progress.done - bar.pos, 0), state_of(progress))

            yield show
    else:
        yield Lines(name).show


def state_of(progress: Progress) -> str:
    """Return what is being done, and how long the rebuild still takes."""
    if progress.phase != "filling":
        return progress.phase
    if progress.seconds_left is None:
        return ""
    return f"about {progress.seconds_left:,.0f} s left"


class Lines:
    """Progress as a line at each quarter, since a log should have few."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.quarter = 0

    def show(self, progress: Progress) -> None:
        quarter = 4 * progress.done // max(progress.total, 1)
        if quarter > self.quarter and progress.phase == "filling":
            self.quarter = quarter
            left = state_of(progress)
            click.echo(
                f"{self.name}: {progress.done:,} of {progress.total:,}"
                f"{f', {left}' if left and quarter < 4 else ''}"
            )
